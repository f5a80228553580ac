#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes uapi.json: the kernel's user-API types and constants that KernelScript programs see.

The only source is the installed user-API headers (Debian: linux-libc-dev), never the BTF of the running
kernel, so that the result depends on the version of that package alone. Layouts come from the BTF which
clang records for the bpf target; constants are evaluated by the compiler.

    generate.py            rewrite uapi.json beside this script
    generate.py --check    exit 1 if uapi.json is not what the headers give, 77 if they are another kernel's
"""
import argparse
import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

# struct -> the header a C program includes for it
STRUCTS = {
    "linux/bpf.h": [
        "__sk_buff", "bpf_cpumap_val", "bpf_devmap_val", "bpf_dynptr", "bpf_fib_lookup", "bpf_flow_keys",
        "bpf_perf_event_value", "bpf_redir_neigh", "bpf_sock", "bpf_sock_tuple", "bpf_spin_lock", "bpf_tcp_sock",
        "bpf_timer", "bpf_tunnel_key", "bpf_xfrm_state", "xdp_md",
    ],
    "linux/if_arp.h": ["arphdr"],
    "linux/if_ether.h": ["ethhdr"],
    "linux/in.h": ["in_addr"],
    "linux/in6.h": ["in6_addr"],
    "linux/icmp.h": ["icmphdr"],
    "linux/icmpv6.h": ["icmp6hdr"],
    "linux/ip.h": ["ip_auth_hdr", "ip_esp_hdr", "iphdr"],
    "linux/ipv6.h": ["ipv6_opt_hdr", "ipv6_rt_hdr", "ipv6hdr"],
    "linux/tcp.h": ["tcphdr"],
    "linux/udp.h": ["udphdr"],
}

# header to include, headers whose text is searched, which names; a name belongs to the first that has it
CONSTANTS = [
    ("linux/bpf.h", ["linux/bpf.h"], r"(BPF|XDP|SK|TCP|BTF)_\w+"),
    ("linux/if_ether.h", ["linux/if_ether.h"], r"ETH_\w+"),
    ("linux/in.h", ["linux/in.h"], r"IPPROTO_\w+"),
    ("linux/in6.h", ["linux/in6.h"], r"IPPROTO_\w+"),
    ("linux/pkt_cls.h", ["linux/pkt_cls.h"], r"TC_ACT_\w+"),
    ("linux/if_link.h", ["linux/if_link.h"], r"XDP_\w+"),
    ("linux/if_xdp.h", ["linux/if_xdp.h"], r"XDP_\w+"),
    ("linux/errno.h", ["asm-generic/errno-base.h", "asm-generic/errno.h"], r"E[A-Z0-9]+"),
    ("linux/icmp.h", ["linux/icmp.h"], r"ICMP_\w+"),
    ("linux/icmpv6.h", ["linux/icmpv6.h"], r"ICMPV6_\w+"),
    ("linux/if_arp.h", ["linux/if_arp.h"], r"(ARPHRD|ARPOP)_\w+"),
    ("linux/if_packet.h", ["linux/if_packet.h"], r"PACKET_(HOST|BROADCAST|MULTICAST|OTHERHOST|OUTGOING|LOOPBACK)"),
    ("linux/perf_event.h", ["linux/perf_event.h"], r"PERF_\w+"),
]

# What `load` and `attach` throw: the language's own, which every generated program has.
OWN_CONSTANTS = {
    "LOAD_ERROR_PROGRAM_NOT_FOUND": 20,
    "LOAD_ERROR_REJECTED": 21,
    "LOAD_ERROR_PERMISSION": 22,
    "LOAD_ERROR_KERNEL_TOO_OLD": 23,
    "LOAD_ERROR_MODULE": 24,
    "LOAD_ERROR_PIN_LAYOUT": 25,
    "ATTACH_ERROR_PERMISSION_DENIED": 30,
    "ATTACH_ERROR_NO_TARGET": 31,
    "ATTACH_ERROR_BUSY": 32,
    "ATTACH_ERROR_OTHER": 39,
}
# No user-API header carries the address families; the numbers are kernel ABI and the C library repeats them.
LIBC_CONSTANTS = ("sys/socket.h", ["AF_UNSPEC", "AF_INET", "AF_INET6", "AF_PACKET"])

ENUMS = {"linux/bpf.h": r"(?!bpf_func_id$)\w+"}

CLANG = ["clang"]
MULTIARCH = subprocess.run(["clang", "-print-multiarch"], capture_output=True, text=True).stdout.strip()
if not MULTIARCH:
    MULTIARCH = platform.machine() + "-linux-gnu"
BPF = CLANG + ["-target", "bpf", "-I/usr/include/" + MULTIARCH]
# Headers that reach into the C library ask it for its 32-bit half unless the host's architecture is named.
HOSTED = ["-D__%s__" % platform.machine()]


def run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def includes(headers):
    return "".join("#include <%s>\n" % header for header in headers)


class Layouts:
    """Struct layouts and enum-typed fields, read from BTF."""

    def __init__(self, btf, header_of):
        self.types = {t["id"]: t for t in btf}
        self.header_of = header_of  # grows by the structs that a field embeds
        self.structs = {}

    def strip(self, number):
        """The type behind typedefs and qualifiers, and whether a big-endian typedef was passed."""
        big = False
        t = self.types[number]
        while t["kind"] in ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT"):
            big |= bool(re.fullmatch(r"__be(16|32|64)", t["name"]))
            if t["type_id"] == 0:
                return None, big
            t = self.types[t["type_id"]]
        return t, big

    def notation(self, number, path, behind_pointer=False):
        """The type in KernelScript notation; a nested unnamed struct is named by its path."""
        if number == 0:
            return "u8", False
        t, big = self.strip(number)
        if t is None:
            return "u8", big
        kind = t["kind"]
        if kind == "INT":
            if t["name"] == "char":
                return "char", big
            return ("i" if "SIGNED" in t["encoding"] else "u") + str(t["size"] * 8), big
        if kind == "PTR":
            return "*" + self.notation(t["type_id"], path, True)[0], False
        if kind == "ARRAY":
            inner, big = self.notation(t["type_id"], path)
            return "%s[%d]" % (inner, t["nr_elems"]), big
        if kind in ("ENUM", "ENUM64"):
            return "enum:" + t["name"] if t["name"] != "(anon)" else "u32", big
        if kind in ("STRUCT", "UNION"):
            if t["name"] != "(anon)":
                if t["name"] not in self.structs and t["name"] not in self.header_of and not behind_pointer:
                    self.header_of[t["name"]] = self.header_of[path.split(".")[0]]
                    self.add(t["name"], t)
                return "struct:" + t["name"], False
            self.add(path, t)
            return "struct:" + path, False
        if kind == "FWD":
            return "struct:" + t["name"], False
        sys.exit("no notation for %s in %s" % (kind, path))

    def size(self, number):
        t, _ = self.strip(number)
        if t["kind"] == "ARRAY":
            return t["nr_elems"] * self.size(t["type_id"])
        return 8 if t["kind"] == "PTR" else t["size"]

    def members(self, t, base, owner):
        for member in t["members"]:
            bits = base + member["bits_offset"]
            inner, _ = self.strip(member["type_id"])
            if member["name"] == "(anon)":
                if inner["kind"] in ("STRUCT", "UNION"):
                    yield from self.members(inner, bits, owner)
                continue
            kind, big = self.notation(member["type_id"], owner + "." + member["name"])
            field = {"name": member["name"], "type": kind}
            width = member.get("bitfield_size", 0)
            if width:
                unit = self.size(member["type_id"]) * 8
                field["offset"] = bits // unit * unit // 8
                field["bit_offset"] = bits
                field["bit_size"] = width
            else:
                field["offset"] = bits // 8
            if big:
                field["be"] = True
            yield field

    def add(self, name, t):
        self.structs[name] = None  # holds the place while members are read
        struct = {"name": name, "size": t["size"]}
        if t["kind"] == "UNION":
            struct["union"] = True
        if t["name"] == "(anon)":
            struct["anonymous"] = True
        struct["fields"] = list(self.members(t, 0, name))
        self.structs[name] = struct


def read_structs(directory):
    source = directory / "structs.c"
    names = [(header, name) for header in sorted(STRUCTS) for name in STRUCTS[header]]
    source.write_text(includes(sorted(STRUCTS)) + "".join("struct %s v%d;\n" % (name, i)
                                                          for i, (_, name) in enumerate(names)))
    compiled = directory / "structs.o"
    run(BPF + HOSTED + ["-g", "-O1", "-c", str(source), "-o", str(compiled)])
    header_of = {name: header for header, name in names}
    layouts = Layouts(json.loads(run(["bpftool", "-j", "btf", "dump", "file", str(compiled)]))["types"], header_of)
    for t in list(layouts.types.values()):
        if t["kind"] in ("STRUCT", "UNION") and t["name"] in header_of and t["name"] not in layouts.structs:
            layouts.add(t["name"], t)
    result = []
    for name, struct in sorted(layouts.structs.items()):
        result.append({"name": name, "header": header_of[name.split(".")[0]], **struct})
    missing = set(header_of) - set(layouts.structs)
    if missing:
        sys.exit("the headers lack " + ", ".join(sorted(missing)))
    return result


def header_path(header):
    for root in ("/usr/include", "/usr/include/" + MULTIARCH):
        path = pathlib.Path(root) / header
        if path.exists():
            return path
    sys.exit("no header " + header)


def macros_of(files):
    names = []
    for file in files:
        names += re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\S", header_path(file).read_text(), re.M)
    return names


def enums_of(header):
    """(name or "", [enumerators]) for every enum written in the header itself, in order."""
    text = run(BPF + HOSTED + ["-E", "-x", "c", "-"], input=includes([header]))
    own, current = [], False
    path = str(header_path(header))
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            current = marker.group(1) == path
        elif current:
            own.append(line)
    found = []
    for name, body in re.findall(r"\benum\s*(\w*)\s*\{([^}]*)\}", "\n".join(own)):
        found.append((name, re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"\([^()]*\)", "", body))))
    return found


def evaluate(directory, headers, names):
    """name -> value for those names that are integer constant expressions."""
    names = list(dict.fromkeys(names))
    source, program = directory / "values.c", directory / "values"
    while True:
        head = includes(headers) + "#include <stdio.h>\nstatic const struct { int negative; unsigned long long v; } t[] = {\n"
        first = head.count("\n") + 1
        body = "".join("{((%s) ^ 0) < 0, (unsigned long long)(%s)},\n" % (n, n) for n in names)
        tail = "};\nint main(void) { for (unsigned i = 0; i < sizeof t / sizeof *t; i++)" \
               " { if (t[i].negative) printf(\"%lld\\n\", (long long)t[i].v); else printf(\"%llu\\n\", t[i].v); } }\n"
        source.write_text(head + body + tail)
        done = subprocess.run(CLANG + ["-w", "-ferror-limit=0", str(source), "-o", str(program)],
                              capture_output=True, text=True)
        if done.returncode == 0:
            break
        bad = {int(line) - first for line in re.findall(r"values\.c:(\d+):\d+: error", done.stderr)}
        # An expression inside a macro is reported where it is defined; the use is in a note.
        bad |= {int(line) - first for line in re.findall(r"values\.c:(\d+):\d+: note: expanded", done.stderr)}
        bad = {i for i in bad if 0 <= i < len(names)}
        if not bad:
            sys.exit(done.stderr)
        names = [n for i, n in enumerate(names) if i not in bad]
    return dict(zip(names, map(int, run([str(program)]).split())))


def read_constants(directory):
    wanted, enums = {}, []
    headers = [header for header, _, _ in CONSTANTS]
    for header, files, pattern in CONSTANTS:
        names = macros_of(files)
        for enum, members in enums_of(header):
            members = [m for m in members if not m.startswith("__")]
            if enum and header in ENUMS and re.fullmatch(ENUMS[header], enum):
                enums.append((header, enum, members))
                wanted.update({m: None for m in members if m not in wanted})
            else:
                names += members
        for name in names:
            if re.fullmatch(pattern, name):
                wanted.setdefault(name, header)
    values = evaluate(directory, headers, list(wanted))
    constants = {header: {} for header in headers}
    in_enums = {m for _, _, members in enums for m in members}
    for name, header in wanted.items():
        if header and name not in in_enums and name in values:
            constants[header][name] = values[name]
    described = []
    for header, enum, members in sorted(enums, key=lambda e: e[1]):
        pairs = [(m, values[m]) for m in members]
        low, high = min(v for _, v in pairs), max(v for _, v in pairs)
        kind = ("i" if low < 0 else "u") + ("64" if high > 0xFFFFFFFF else "32")
        described.append({"name": enum, "header": header, "type": kind, "values": pairs})
    constants["ks_status.h"] = OWN_CONSTANTS
    libc_header, names = LIBC_CONSTANTS
    constants[""] = evaluate(directory, [libc_header], names)
    return described, constants


def needs_host_macro(header):
    command = BPF + ["-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, input=includes([header]), capture_output=True, text=True).returncode != 0


def render(document):
    """JSON with one item a line."""
    def line(value):
        return json.dumps(value)

    def block(opening, rows, closing):
        return opening + "\n" + ",\n".join(rows) + "\n" + closing

    structs = []
    for s in document["structs"]:
        head = line({k: v for k, v in s.items() if k != "fields"})[:-1]
        structs.append(block(head + ', "fields": [', ["  " + line(f) for f in s["fields"]], "]}"))
    enums = []
    for e in document["enums"]:
        head = line({k: v for k, v in e.items() if k != "values"})[:-1]
        enums.append(block(head + ', "values": [', ["  " + line(list(p)) for p in e["values"]], "]}"))
    constants = []
    for header in sorted(document["constants"]):
        rows = ["  %s: %d" % (line(n), v) for n, v in sorted(document["constants"][header].items())]
        constants.append(block(line(header) + ": {", rows, "}"))
    parts = ['"kernel": %s' % line(document["kernel"]), '"byte_order": "little"',
             block('"hosted_headers": [', ["  " + line(h) for h in document["hosted_headers"]], "]"),
             block('"structs": [', structs, "]"), block('"enums": [', enums, "]"),
             block('"constants": {', constants, "}")]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    target = pathlib.Path(__file__).resolve().parent / "uapi.json"
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        version = evaluate(directory, ["linux/version.h"], ["LINUX_VERSION_CODE"])["LINUX_VERSION_CODE"]
        enums, constants = read_constants(directory)
        used = sorted(set(STRUCTS) | {header for header, _, _ in CONSTANTS})
        text = render({
            "kernel": "%d.%d" % (version >> 16, version >> 8 & 255),
            "hosted_headers": [h for h in used if needs_host_macro(h)],
            "structs": read_structs(directory), "enums": enums, "constants": constants,
        })
    if options.check:
        if target.exists() and json.loads(target.read_text())["kernel"] != json.loads(text)["kernel"]:
            print("SKIPPED: the installed headers are those of another kernel than uapi.json describes")
            sys.exit(77)
        if not target.exists() or target.read_text() != text:
            sys.exit("uapi.json differs from what the installed headers give; run " + pathlib.Path(sys.argv[0]).name)
        return
    target.write_text(text)


if __name__ == "__main__":
    main()
