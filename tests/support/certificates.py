"""Certificates for hosts on loopback, and an authority that signed them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Signs certificates; `trusted` is its own, in a file."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @property
    def trusted(self) -> Path:
        """The file of what a client has to trust."""
        return self.folder / "authority.pem"

    def signed(self, address: str = "127.0.0.1", *, days: int = 2, own: bool = False) -> Path:
        """The file of a certificate and its key for an address, valid for so many days yet; `own`: signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = _name("server") if own else self.certificate.subject
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        signer = key if own else self.key
        builder = _builder("server", issuer, key, days, signer).add_extension(names, critical=False)
        file = self.folder / f"{address}-{days}-{own}.pem"
        file.write_bytes(_pem(builder.sign(signer, hashes.SHA256())) + _private(key))
        return file


def showing(file: Path) -> ssl.SSLContext:
    """A server's side of TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def authority(folder: Path) -> Authority:
    """A new authority, whose files are in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("authority", _name("authority"), key, 10, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_SIGNS, critical=True)
    made = Authority(key, builder.sign(key, hashes.SHA256()), folder)
    made.trusted.write_bytes(_pem(made.certificate))
    return made


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    begin = datetime.datetime.now(datetime.UTC) - 5 * _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + (5 + days) * _DAY)
        # Python 3.13 takes no chain without these.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
