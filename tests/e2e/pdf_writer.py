# SPDX-License-Identifier: Apache-2.0
"""Writes small PDF files for tests: pages of lines, any letters (through a ToUnicode map), a title,
and, when asked, the 40-bit encryption of PDF 1.4 (ISO 32000-1, section 7.6), which is weak and good
enough for a file that must not open.

    python3 tests/e2e/pdf_writer.py OUT.pdf TITLE < TEXT      pages divided by form feeds
"""
import hashlib
import sys

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def rc4(key, data):
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


class Cipher:
    """Algorithms 1 to 4 of the standard, revision 2: a key of 5 bytes."""

    def __init__(self, password):
        padded = (password.encode("latin-1") + PADDING)[:32]
        self.id = hashlib.md5(b"xylem").digest()
        self.owner = rc4(hashlib.md5(padded).digest()[:5], padded)
        self.key = hashlib.md5(padded + self.owner + (2 ** 32 - 4).to_bytes(4, "little")
                               + self.id).digest()[:5]
        self.user = rc4(self.key, PADDING)

    def stream(self, number, data):
        key = hashlib.md5(self.key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
        return rc4(key, data)


def codes_of(pages):
    """A byte for each character: its own in ASCII, one from 0x80 on for any other."""
    codes = {}
    for character in "".join("".join(page) for page in pages):
        if ord(character) > 126 and character not in codes:
            codes[character] = 0x80 + len(codes)
            assert codes[character] < 256, "too many letters outside of ASCII"
    return codes


def to_unicode(codes):
    pairs = "".join(f"<{code:02x}> <{character.encode('utf-16-be').hex()}>\n"
                    for character, code in codes.items())
    pairs += "".join(f"<{code:02x}> <{code:04x}>\n" for code in range(32, 127))
    count = len(codes) + 95
    blocks, lines = "", pairs.splitlines()
    for at in range(0, count, 100):
        part = lines[at:at + 100]
        blocks += f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar\n"
    return ("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CMapName /Map def\n/CMapType 2 def\n1 begincodespacerange\n<00> <ff>\n"
            "endcodespacerange\n" + blocks + "endcmap\nend\nend\n").encode()


def content_of(page, codes):
    lines = []
    for line in page:
        shown = bytes(codes.get(character, ord(character) & 127) for character in line)
        lines.append(b"<" + shown.hex().encode() + b"> Tj 0 -14 Td")
    return b"BT /F 11 Tf 60 780 Td\n" + b"\n".join(lines) + b"\nET\n"


def pdf(pages, title="", password=None):
    """`pages`: lists of lines. The bytes of the file."""
    codes, cipher = codes_of(pages), Cipher(password) if password else None
    objects = []

    def add(body, stream=None):
        number = len(objects) + 1
        if stream is not None:
            stream = cipher.stream(number, stream) if cipher else stream
            body = f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream"
        objects.append(body if isinstance(body, bytes) else body.encode())
        return number

    kids = [5 + 2 * i for i in range(len(pages))]
    add("<< /Type /Catalog /Pages 2 0 R >>")
    add(f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] "
        "/MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> >>")
    add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>")
    add("", to_unicode(codes))
    for page in pages:
        number = add(f"<< /Type /Page /Parent 2 0 R /Contents {len(objects) + 2} 0 R >>")
        assert add("", content_of(page, codes)) == number + 1
    trailer = "/Root 1 0 R"
    if cipher:
        trailer += (f" /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{cipher.owner.hex()}> "
                    f"/U <{cipher.user.hex()}> >> /ID [<{cipher.id.hex()}> <{cipher.id.hex()}>]")
    elif title:
        info = add("<< /Title <feff" + title.encode("utf-16-be").hex() + "> >>")
        trailer += f" /Info {info} 0 R"
    # The second line, a comment, tells programs that the file is not text.
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\0\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} {trailer} >>\n".encode()
    out += f"startxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


if __name__ == "__main__":
    text = sys.stdin.read()
    with open(sys.argv[1], "wb") as file:
        file.write(pdf([page.strip("\n").split("\n") for page in text.split("\f")], sys.argv[2]))
