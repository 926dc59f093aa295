// SPDX-License-Identifier: GPL-2.0
// The DSDT of a guest of the GHCI: a PC's PCI bus and its power-off, and nothing that acts by
// itself.  QEMU's own is AML from the host, which the guest's kernel would execute.
// Compiled by iasl; where PCI has its windows is QEMU's (hw/i386/pc_piix.c, hw/pci-host/i440fx.c).
DefinitionBlock ("", "DSDT", 2, "UNDPIN", "UNDERPIN", 1)
{
    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0, 0, 0xff, 0, 0x100)
                IO (Decode16, 0xcf8, 0xcf8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0, 0xcf7, 0, 0xcf8)
                // To where PIIX4's power management, and above it QEMU's own registers, lie
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0xd00, 0xadff, 0, 0xa100)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0xb100, 0xffff, 0, 0x4f00)
                // From the most RAM that the firmware takes below 4 GiB to the I/O APIC
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
                    ReadWrite, 0, 0xe0000000, 0xfebfffff, 0, 0x1ec00000)
            })
        }
    }

    // The sleep type of power-off: PIIX4's PM1_CNT takes 0 for it.
    Name (\_S5, Package () { Zero, Zero, Zero, Zero })
}
