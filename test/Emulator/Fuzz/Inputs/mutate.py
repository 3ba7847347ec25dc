# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random changes to PTX text.

A mutation takes a random generator, the text and a donor, another text of the
corpus, as bytes, and returns the changed text. Half of them work on whole
tokens or statements, so that many of their results still decode and run.
"""

import re

TOKEN = re.compile(rb'"[^"\n]*"|//[^\n]*|[.%$]?[\w$:]+|\s+|.', re.DOTALL)
NUMBER = re.compile(rb"(?<![\w%$.])(?:0x[0-9a-fA-F]+|0f[0-9A-Fa-f]{8}|\d+)(?![\w.])")
REGISTER = re.compile(rb"%[a-z]+\d+")
MODIFIER = re.compile(rb"(?<=[\w])\.[a-z]\w*")
STATEMENT = re.compile(rb"^[^\n]*;[^\n]*\n", re.MULTILINE)

NUMBERS = [b"0", b"1", b"-1", b"2", b"3", b"7", b"8", b"15", b"16", b"17", b"31", b"32", b"33",
           b"64", b"255", b"4095", b"65536", b"1048577", b"2147483647", b"2147483648",
           b"4294967295", b"4294967296", b"9223372036854775807", b"9223372036854775808",
           b"18446744073709551615", b"18446744073709551616", b"0x7fffffffffffffff", b"077",
           b"0b101", b"1e9", b"0f7FC00000", b"0d7FF0000000000000", b"0f3F", b"1.5"]
MODIFIERS = [b".u8", b".s8", b".u16", b".s32", b".u32", b".b32", b".f32", b".f64", b".b64", b".u64",
             b".f16x2", b".bf16x2", b".bf16", b".tf32", b".e4m3", b".pred", b".v2", b".v4", b".v8",
             b".wide", b".hi", b".lo", b".sat", b".rn", b".rz", b".ftz", b".approx", b".sync",
             b".aligned", b".shared", b".global", b".local", b".param", b".const", b".trans",
             b".x4", b".m16n8k16", b".m16n16k16", b".row", b".col", b".xor", b".eq", b".leu",
             b".volatile", b".relaxed", b".gpu", b".nc", b".b128"]
BYTES = [b"\x00", b"\xff", b"\x80", b"{", b"}", b"(", b"[", b";", b'"', b"/*", b"\\", b"@", b"!",
         b"\r", b"|", b"<", b"%", b"$", b"::", b"."]


def replace(rng, text, pattern, choices):
    """Replaces one match of the pattern."""
    matches = list(pattern.finditer(text))
    if not matches:
        return text
    match = rng.choice(matches)
    return text[:match.start()] + rng.choice(choices) + text[match.end():]


def change_number(rng, text, donor):
    return replace(rng, text, NUMBER, NUMBERS)


def change_register(rng, text, donor):
    return replace(rng, text, REGISTER, REGISTER.findall(text) or [b"%r0"])


def change_modifier(rng, text, donor):
    return replace(rng, text, MODIFIER, [*MODIFIERS, b""])


def borrow_modifier(rng, text, donor):
    return replace(rng, text, MODIFIER, MODIFIER.findall(donor) or [b".u32"])


def delete_statement(rng, text, donor):
    return replace(rng, text, STATEMENT, [b""])


def borrow_statement(rng, text, donor):
    statements = STATEMENT.findall(donor)
    matches = list(STATEMENT.finditer(text))
    if not statements or not matches:
        return text
    place = rng.choice(matches).end()
    return text[:place] + rng.choice(statements) + text[place:]


def swap_statements(rng, text, donor):
    matches = list(STATEMENT.finditer(text))
    if len(matches) < 2:
        return text
    first, second = sorted(rng.sample(matches, 2), key=lambda match: match.start())
    return (text[:first.start()] + second.group() + text[first.end():second.start()]
            + first.group() + text[second.end():])


def delete_token(rng, text, donor):
    tokens = TOKEN.findall(text)
    place = rng.randrange(len(tokens) + 1)
    return b"".join(tokens[:place] + tokens[place + rng.choice([1, 1, 2, 6]):])


def duplicate_token(rng, text, donor):
    tokens = TOKEN.findall(text)
    place = rng.randrange(len(tokens) + 1)
    end = place + rng.choice([1, 1, 3, 12])
    return b"".join(tokens[:end] + tokens[place:])


def swap_tokens(rng, text, donor):
    tokens = TOKEN.findall(text)
    if len(tokens) < 2:
        return text
    first, second = rng.randrange(len(tokens)), rng.randrange(len(tokens))
    tokens[first], tokens[second] = tokens[second], tokens[first]
    return b"".join(tokens)


def borrow_token(rng, text, donor):
    return replace(rng, text, TOKEN, TOKEN.findall(donor) or [b""])


def truncate(rng, text, donor):
    return text[:rng.randrange(len(text) + 1)]


def insert_bytes(rng, text, donor):
    place = rng.randrange(len(text) + 1)
    junk = rng.choice([rng.choice(BYTES), rng.choice(BYTES) * rng.choice([3, 300, 30000]),
                       bytes(rng.randrange(256) for _ in range(8))])
    return text[:place] + junk + text[place:]


def flip_bit(rng, text, donor):
    if not text:
        return text
    data = bytearray(text)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


SENSIBLE = [change_number, change_number, change_register, change_register, change_modifier,
            borrow_modifier, delete_statement, borrow_statement, swap_statements]
BLIND = [delete_token, duplicate_token, swap_tokens, borrow_token, truncate, insert_bytes, flip_bit]


def mutate(rng, text, donor):
    """The text after one to four random changes."""
    for _ in range(rng.choice([1, 1, 2, 4])):
        pool = SENSIBLE if rng.random() < 0.7 else BLIND
        text = rng.choice(pool)(rng, text, donor)
    return text
