# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random changes to a piece of MLIR text.

Every mutation takes a random generator, the text and a donor, another piece of
the corpus, and returns the changed text. Half of them work on the text alone
and mostly make errors of the parser; the other half change sizes, types and
attributes consistently, so that many of their results still verify and reach
the passes.
"""

import re

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[%@!#^]?[A-Za-z_$][\w$.]*|\d+|->|::|\s+|.',
                   re.DOTALL)
SIZE = re.compile(r"(?<![\w%#@.])(?:\d+|\?)(?=x)|(?<=x)(?:\d+|\?)(?=x)")
SHAPED = re.compile(r"(?:tensor|memref|vector)<[^<>]*>")
NUMBER = re.compile(r"(?<![\w%#@])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
ELEMENT = re.compile(r"(?<=x)(?:f16|bf16|f32|f64|i32|index)\b")

SIZES = ["0", "1", "2", "3", "5", "7", "8", "16", "?", "4096", "1000000007",
         "2147483648", "4294967296", "4611686018427387905",
         "9223372036854775807", "9223372036854775808"]
NUMBERS = ["0", "1", "-1", "2", "3", "4", "17", "255", "2147483647",
           "2147483648", "-2147483648", "4294967297", "9223372036854775807",
           "-9223372036854775808", "18446744073709551616", "1.0", "-0.0",
           "0.5", "1.0e-5", "1.0e38", "1.0e309", "4.9e-324",
           "0x7FF0000000000000", "0xFFF8000000000001", "1" * 40]
ELEMENTS = ["f16", "bf16", "f32", "f64", "f8E5M2", "f8E4M3FN", "f80", "f128",
            "tf32", "i1", "i8", "i32", "si8", "i64", "index", "complex<f32>",
            "!llvm.ptr", "none", "vector<4xf32>"]
ENCODINGS = ['"layout"', "1 : i32", "#mta<mask causal>", "[]",
             "#sparse_tensor.encoding<{ map = (a, b, c, d) -> (a : dense, "
             "b : dense, c : dense, d : compressed) }>",
             "#sparse_tensor.encoding<{ map = (a, b, c) -> (a : dense, "
             "b : dense, c : compressed) }>", "affine_map<(d0) -> (d0)>"]
OPTIONS = ["mask(causal)", "mask(none)", "scale(0.125)", "scale(-1.0e300)",
           "scale(0.0)", "query_halo(1)", "query_halo(3)",
           "query_halo(9223372036854775807)", "padding(left)", "padding(right)",
           "padding(both)", "layer(0)", "layer(3)", "layer(9223372036854775807)",
           "epsilon(0.0)", "epsilon(1.0e300)", "{tag}", "attributes {tag}"]
VALUES = ["dense<0.0>", "dense<1.0>", "dense<-0.0>", "dense<[]>",
          "dense<0x7FC00000>", "dense<0x7F800000>", 'dense<"0xFFFFFFFF">',
          "dense<[[[1.0]]]>", "dense_resource<weights>", "dense<1>",
          "sparse<0, 1.0>", "unit"]


def tokens(text):
    return TOKEN.findall(text)


def visible(pieces):
    return [i for i, piece in enumerate(pieces) if not piece.isspace()]


def replace_match(rng, text, pattern, choices):
    """Replaces one match of `pattern`, or all equal to it."""
    matches = list(pattern.finditer(text))
    if not matches:
        return text
    match = rng.choice(matches)
    new = rng.choice(choices)
    if rng.random() < 0.3:
        return text[:match.start()] + new + text[match.end():]
    old = match.group()
    return pattern.sub(lambda m: new if m.group() == old else m.group(), text)


def change_size(rng, text, donor):
    return replace_match(rng, text, SIZE, SIZES)


def change_number(rng, text, donor):
    return replace_match(rng, text, NUMBER, NUMBERS)


def change_element(rng, text, donor):
    return replace_match(rng, text, ELEMENT, ELEMENTS)


def change_type(rng, text, donor):
    return replace_match(rng, text, SHAPED,
                         SHAPED.findall(donor) + ["tensor<*xf32>", "f32"])


def add_encoding(rng, text, donor):
    shaped = SHAPED.findall(text)
    if not shaped:
        return text
    old = rng.choice(shaped)
    return text.replace(old, f"{old[:-1]}, {rng.choice(ENCODINGS)}>")


def change_option(rng, text, donor):
    """Changes, removes or adds an option such as `padding(left)`."""
    present = list(re.finditer(r" (?:mask|scale|query_halo|padding|layer|"
                               r"epsilon)\([^()]*\)", text))
    option = " " + rng.choice(OPTIONS)
    if present and rng.random() < 0.7:
        match = rng.choice(present)
        option = rng.choice([option, ""])
        return text[:match.start()] + option + text[match.end():]
    places = [m.end() for m in re.finditer(
        r"mta\.attention %\w+, %\w+, %\w+|mta\.\w+ %\w+, %\w+", text)]
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + option + text[place:]


def change_constant(rng, text, donor):
    """Changes a constant, or makes one of a block argument."""
    if "dense<" in text and rng.random() < 0.5:
        return replace_match(rng, text, re.compile(r"dense<(?:[^<>]|<[^<>]*>)*>"),
                             VALUES)
    uses = list(re.finditer(r"mta\.(?:key_query_conv|head_mix) %\w+, (%\w+)[^:]*:"
                            r"[^,]*, (tensor<[^<>]*>)", text))
    start = text.find("mta.attention")
    if not uses or start < 0:
        return text
    use = rng.choice(uses)
    line = text.rfind("\n", 0, start) + 1
    text = (text[:use.start(1)] + "%fuzz" + text[use.end(1):])
    value = rng.choice(VALUES)
    return f"{text[:line]}%fuzz = arith.constant {value} : {use[2]}\n{text[line:]}"


def delete_tokens(rng, text, donor):
    pieces = tokens(text)
    start = rng.randrange(len(pieces) + 1)
    return "".join(pieces[:start] + pieces[start + rng.choice([1, 1, 2, 5]):])


def duplicate_tokens(rng, text, donor):
    pieces = tokens(text)
    start = rng.randrange(len(pieces) + 1)
    end = start + rng.choice([1, 2, 5, 20])
    return "".join(pieces[:end] + pieces[start:end] + pieces[end:])


def swap_tokens(rng, text, donor):
    pieces = tokens(text)
    places = visible(pieces)
    if len(places) < 2:
        return text
    first, second = rng.sample(places, 2)
    pieces[first], pieces[second] = pieces[second], pieces[first]
    return "".join(pieces)


def borrow_token(rng, text, donor):
    pieces, others = tokens(text), tokens(donor)
    places, choices = visible(pieces), visible(others)
    if not places or not choices:
        return text
    pieces[rng.choice(places)] = others[rng.choice(choices)]
    return "".join(pieces)


def edit_line(rng, text, donor):
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    kind = rng.randrange(3)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(place, rng.choice(lines))
    else:
        lines[place] = rng.choice(donor.split("\n"))
    return "\n".join(lines)


def truncate(rng, text, donor):
    return text[:rng.randrange(len(text) + 1)]


def flip_byte(rng, text, donor):
    data = bytearray(text, "latin-1", "replace")
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data.decode("latin-1")


SHAPE_MUTATIONS = [change_size, change_size, change_size, change_element,
                   change_element, change_number, change_type, add_encoding,
                   change_option, change_option, change_constant,
                   change_constant]
TEXT_MUTATIONS = [delete_tokens, duplicate_tokens, swap_tokens, borrow_token,
                  edit_line, edit_line, truncate, flip_byte]


def mutate(rng, text, donor):
    """A mutant of `text` after one to four random changes."""
    for _ in range(rng.choice([1, 1, 2, 3, 4])):
        pool = SHAPE_MUTATIONS if rng.random() < 0.75 else TEXT_MUTATIONS
        text = rng.choice(pool)(rng, text, donor)
    return text
