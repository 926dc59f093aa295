# SPDX-License-Identifier: GPL-2.0-only
# `make install [DESTDIR=...] [PREFIX=...] [PARTS='underpin underpind ...']`: what
# install.list says.  `make deb`: the Debian packages, which are made of the same rows.
PREFIX ?= /usr/local
PARTS ?= underpin underpin-dkms underpin-initramfs underpind
UNITS ?= lib/systemd/system
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)

INSTALL_BUILT_underpin := userspace $(B)/underpin-fw.bin
INSTALL_BUILT_underpin-dkms := $(B)/root/root.bin
INSTALL_BUILT_underpind := policy-all

install: $(PARTS:%=install-%)

# Each part's rows.  Units name programs by their place.
install-%:
	$(if $(INSTALL_BUILT_$*),@$(MAKE) --no-print-directory $(INSTALL_BUILT_$*))
	@sed -e 's|@version@|$(VERSION)|; s|@units@|$(UNITS)|' install.list | \
	while read -r part mode what where; do \
		[ "$$part" = $* ] || continue; \
		case $$where in /*) to="$(DESTDIR)$$where" ;; *) to="$(DESTDIR)$(PREFIX)/$$where" ;; esac; \
		set -- $$what; \
		case $$mode in \
		tree) mkdir -p "$$to" && cp --parents --no-preserve=mode "$$@" "$$to" ;; \
		link) mkdir -p "$${to%/*}" && ln -sf "$$what" "$$to" ;; \
		*) case $$to in */) to=$$to$${what##*/} ;; esac; \
			install -D -m $$mode "$$what" "$$to" && case $$to in \
			*.service) sed -i 's|/usr/sbin/|$(PREFIX)/sbin/|' "$$to" ;; \
			*/dkms.conf) sed -i 's|#MODULE_VERSION#|$(VERSION)|' "$$to" ;; esac ;; \
		esac || { echo "install.list: $$part: $$what" >&2; exit 1; }; \
	done

# From the files that git knows, so that nothing that lies about here comes in.
DEB := $(B)/deb
deb: packages
	rm -rf $(DEB) && mkdir -p $(DEB)/underpin-$(VERSION)
	git ls-files -z | xargs -0 cp --parents -t $(DEB)/underpin-$(VERSION)
	cd $(DEB)/underpin-$(VERSION) && dpkg-buildpackage -us -uc -F $(DEB_OPTIONS)
	rm -rf $(DEB)/underpin-$(VERSION)
	@ls -l $(DEB)/*.deb

.PHONY: install deb
