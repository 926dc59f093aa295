// SPDX-License-Identifier: GPL-2.0
// Draws what "underpin status -o json" and "underpin vm list -o json" say, every two seconds.
// Whatever they say is text here: elements are made, never parsed.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const EVERY_MS = 2000;
const FRAME = 4096;
const WIDTH = 800;	// of the pictures, in their own units
let seen = "nothing yet";

function make(parent, tag, attributes, text) {
	const drawn = parent instanceof SVGElement || tag === "svg";
	const element = drawn ? document.createElementNS(SVG, tag) : document.createElement(tag);

	for (const [name, value] of Object.entries(attributes || {}))
		element.setAttribute(name, value);
	if (text !== undefined)
		element.textContent = text;
	return parent.appendChild(element);
}

function empty(id) {
	const element = document.getElementById(id);

	element.replaceChildren();
	return element;
}

function cell(row, value, style) {
	const kind = style || (typeof value === "number" ? "number" : "");
	const td = make(row, "td", kind ? { class: kind } : {});

	make(td, "bdi", {}, value === undefined || value === null ? "" : String(value));
	return td;
}

function heading(table, names) {
	const row = make(table, "tr");

	for (const name of names)
		make(row, "th", {}, name.replaceAll("_", " "));
}

function rect(svg, x, y, width, height, style, title) {
	const r = make(svg, "rect", { x: x, y: y, width: width, height: height, class: style });

	if (title)
		make(r, "title", {}, title);
}

function share(svg, part, whole, style) {
	rect(svg, 0, 0, whole ? 200 * part / whole : 0, 12, style);
}

function key(row, style) {
	rect(make(make(row, "td"), "svg", { class: "key" }), 0, 0, 12, 12, style);
}

function mib(frames) {
	return (frames * FRAME / 1048576).toFixed(1);
}

// --- the layer, and what it can prove

const FACTS = ["state", "image_hash", "abi", "sealed", "vms", "cpus_online", "cpus_demoted",
	"denied", "faults_injected", "decoys", "flush_epoch", "iommu_units", "iommu_faults"];

function showLayer(status) {
	const table = empty("layer");

	for (const name of FACTS) {
		if (status[name] === undefined)
			continue;
		const row = make(table, "tr");

		make(row, "th", {}, name.replaceAll("_", " "));
		cell(row, String(status[name]), name === "image_hash" ? "hash" : "");
	}
}

function tpmVerdict(tpm) {
	const word = (tpm || "unknown").split(" ")[0];

	if (word === "good")
		return ["good", "the launch is in PCR 19: quotes are rooted"];
	if (word === "weak")
		return ["poor", "only the kernel's TPM has the launch, in PCR 15"];
	return ["bad", "no TPM has the launch: evidence is unrooted"];
}

function iommuVerdict(status) {
	const said = { full: "good", partial: "poor" }[status.iommu] || "bad";

	if (said === "good")
		return [said, "no device reaches a frame that is not the host's"];
	return [said, [status.iommu_reason, status.iommu_cure].filter(Boolean).join("; ")];
}

function showEvidence(status) {
	const table = empty("evidence");
	const rows = [
		["launch_key", status.launch_key ? ["good", "signs for the layer and its VMs"] :
			["bad", "none: nothing is signed"]],
		["tpm", tpmVerdict(status.tpm)],
		["iommu", iommuVerdict(status)],
		["ticket_authority", status.ticket_authority ? ["good", "no VM without its ticket"] :
			["", "none: no VM needs a ticket"]],
		["host_identity", ["", status.host_identity ? "what tickets name" : "none"]],
	];

	for (const [name, [style, meaning]] of rows) {
		const row = make(table, "tr");

		make(row, "th", {}, name.replaceAll("_", " "));
		cell(row, status[name], String(status[name] || "").length === 64 ? "hash" : "");
		cell(row, meaning, style);
	}
}

// --- memory

function owners(status, vms) {
	const used = status.pool_frames - status.pool_free;
	const known = vms.reduce((sum, vm) => sum + vm.frames, 0);
	const rest = Math.max(0, status.vm_frames - known);
	const host = status.ram_frames - status.pool_frames - status.vm_frames;

	return [
		["host", host, "host"], ["layer, in use", used, "used"],
		["layer, free", status.pool_free, "free"],
		...vms.map((vm) => ["VM " + vm.id + (vm.name ? ": " + vm.name : ""), vm.frames,
			"v" + vm.id % 6]),
		...(rest ? [["VMs that are not listed", rest, "v0"]] : []),
	];
}

function bar(svg, y, rows, whole) {
	let x = 0;

	for (const [name, frames, style] of rows) {
		const width = whole ? WIDTH * frames / whole : 0;

		rect(svg, x, y, width, 24, style, name + ": " + frames + " frames");
		x += width;
	}
}

function showMemory(status, vms) {
	const rows = owners(status, vms), svg = empty("memory"), table = empty("owners");
	const others = rows.slice(1);

	bar(svg, 0, rows, status.ram_frames);
	make(svg, "text", { x: 0, y: 38 }, "all RAM, " + mib(status.ram_frames) + " MiB");
	bar(svg, 50, others, others.reduce((sum, row) => sum + row[1], 0));
	make(svg, "text", { x: 0, y: 88 }, "what is not the host's");
	heading(table, ["", "owner", "frames", "MiB"]);
	for (const [name, frames, style] of rows) {
		const row = make(table, "tr");

		key(row, style);
		cell(row, name);
		cell(row, frames);
		cell(row, mib(frames), "number");
	}
}

// --- VMs

const VM = ["id", "name", "state", "pid", "vcpus", "frames", "frames_shared", "frames_measured",
	"frames_pinned", "entries", "mismatches"];

function wide(table, name, value, style) {
	const row = make(table, "tr");

	make(row, "th", { colspan: 2 }, name);
	cell(row, value, style).setAttribute("colspan", VM.length - 2);
}

function showVms(vms) {
	const table = empty("vms");

	if (!vms.length) {
		cell(make(table, "tr"), "none");
		return;
	}
	heading(table, VM);
	for (const vm of vms) {
		const row = make(table, "tr");

		for (const name of VM)
			cell(row, vm[name]);
		wide(table, "measurement", vm.measurement, "hash");
		if (vm.death)
			wide(table, "death", vm.death, "bad");
	}
}

// --- CPUs and exits

const CPU = ["cpu", "apic_id", "demoted", "transitions", "flushes", "nmi_in_root"];

function showCpus(status) {
	const table = empty("cpus"), svg = empty("grid"), across = 50;

	svg.setAttribute("viewBox", "0 0 " + WIDTH + " " + 16 * Math.ceil(status.cpus.length / across));
	heading(table, CPU);
	status.cpus.forEach((cpu, i) => {
		const row = make(table, "tr");

		for (const name of CPU)
			cell(row, cpu[name]);
		rect(svg, i % across * 16, Math.floor(i / across) * 16, 14, 14,
			cpu.demoted ? "good" : "bad", "CPU " + cpu.cpu);
	});
	empty("demoted").textContent = status.cpus_demoted + " of " + status.cpus_online +
		" online CPUs run on the layer";
}

function sum(cpus, kind) {
	const counts = new Map();

	for (const cpu of cpus)
		for (const [reason, count] of Object.entries(cpu[kind]))
			counts.set(reason, (counts.get(reason) || 0) + count);
	return counts;
}

function showExits(status) {
	const host = sum(status.cpus, "exits_host"), vm = sum(status.cpus, "exits_vm");
	const rows = [...new Set([...host.keys(), ...vm.keys()])]
		.map((reason) => [reason, host.get(reason) || 0, vm.get(reason) || 0])
		.sort((a, b) => b[1] + b[2] - a[1] - a[2] || (a[0] < b[0] ? -1 : 1));
	const most = rows.reduce((m, row) => Math.max(m, row[1], row[2]), 0), table = empty("exits");

	heading(table, ["reason", "host", "VMs", ""]);
	for (const [reason, ofHost, ofVm] of rows) {
		const row = make(table, "tr");

		cell(row, reason);
		cell(row, ofHost);
		cell(row, ofVm);
		const bars = make(row, "td");

		share(make(bars, "svg", { class: "bar" }), ofHost, most, "host");
		share(make(bars, "svg", { class: "bar" }), ofVm, most, "v0");
	}
}

// --- again and again

function say(text, stale) {
	document.getElementById("said").textContent = text;
	document.body.className = stale ? "stale" : "";
}

async function read(path) {
	const answer = await fetch(path);

	if (!answer.ok)
		throw new Error((await answer.text()).trim());
	return answer.json();
}

function show(status, vms) {
	showLayer(status);
	showEvidence(status);
	showMemory(status, vms);
	showVms(vms);
	showCpus(status);
	showExits(status);
}

async function look() {
	try {
		const status = await read("/status.json"), there = status.state !== "not loaded";

		if (there)
			show(status, await read("/vms.json"));
		document.querySelector("main").hidden = !there;
		seen = new Date().toLocaleTimeString();
		say(there ? "The layer is " + status.state + "; read at " + seen + "." :
			"The layer is not loaded: insmod underpin.ko", status.state !== "running");
	} catch (error) {
		say("No answer: " + error.message + ". What is shown was read at " + seen + ".", true);
	}
	setTimeout(look, EVERY_MS);
}

look();
