# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a .npy file whose elements count up from zero, or a broken one.

    write_npy.py FILE DESCR SHAPE [--fortran] [--drop BYTES] [--magic BYTES]

DESCR is NumPy's, such as `<u4`; SHAPE such as `4x8`. --drop leaves out the last
bytes, --magic replaces the first bytes of the file.
"""

import argparse
import math
import pathlib
import struct

FORMATS = {"u1": "B", "i1": "b", "u2": "H", "i2": "h", "u4": "I", "i4": "i", "u8": "Q",
           "i8": "q", "f2": "e", "f4": "f", "f8": "d"}


def array(descr, shape, fortran):
    """The bytes of a file of version 1.0."""
    order = ">" if descr[0] == ">" else "<"
    count = math.prod(shape)
    code = FORMATS.get(descr[1:])
    data = struct.pack(f"{order}{count}{code}", *range(count)) if code else bytes(8 * count)
    extents = "".join(f"{extent}, " for extent in shape)
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({extents}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("descr")
    parser.add_argument("shape")
    parser.add_argument("--fortran", action="store_true")
    parser.add_argument("--drop", type=int, default=0)
    parser.add_argument("--magic", default="")
    options = parser.parse_args()
    shape = [int(extent) for extent in options.shape.split("x")]
    data = array(options.descr, shape, options.fortran)
    data = options.magic.encode() + data[len(options.magic):]
    options.file.write_bytes(data[:len(data) - options.drop])


if __name__ == "__main__":
    main()
