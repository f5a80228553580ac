#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints tcx/ingress and tcx/egress once for each program that hangs there on an interface: tcx_programs.py INTERFACE.

bpftool learned to show them in version 7.3.
"""
import ctypes
import platform
import socket
import struct
import sys

BPF_PROG_QUERY = 16
bpf = {"x86_64": 321, "aarch64": 280}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
for name, attach_type in (("ingress", 46), ("egress", 47)):
    attr = ctypes.create_string_buffer(struct.pack("=IIIIQIIQQQ", socket.if_nametoindex(sys.argv[1]), attach_type, 0, 0,
                                                   0, 0, 0, 0, 0, 0))
    if libc.syscall(bpf, BPF_PROG_QUERY, attr, 64) == 0:
        for _ in range(struct.unpack_from("=I", attr, 24)[0]):
            print(f"tcx/{name}")
