"""Who is believed to be the host: the one with the right certificate for its name, and nobody else."""

import hashlib
import ssl
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.sinks.elastic.speaker import Speaker, certificates_in, said, serving
from tools.syslog.certificates import Certificate, Certificates

from fileaudit_engine.sinks.elastic.client import client_of
from fileaudit_engine.sinks.elastic.failures import Failure, why
from fileaudit_engine.sinks.settings import ElasticSettings


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates_in(tmp_path_factory.mktemp("certificates"))


def served(shown: Certificate, folder: Path, *behind: Path) -> ssl.SSLContext:
    """What a server shows: its certificate, and others behind it."""
    chain = folder / "chain.pem"
    chain.write_text("".join(one.read_text() for one in (shown.cert, *behind)))
    return serving(Certificate(cert=chain, key=shown.key))


def fingerprint_of(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


def failure_at(
    context: ssl.SSLContext, ca: Path | None = None, fingerprint: str | None = None
) -> Failure | None:
    """Why a server is not believed; None if it is. Nothing is told to one that is not."""
    with Speaker(lambda _: said(200, {}), context=context) as speaker:
        settings = ElasticSettings(
            hosts=(speaker.url,), ca_file=ca, ca_fingerprint=fingerprint, timeout_s=10.0
        )
        try:
            with closing(client_of(settings)) as client:
                client.perform_request("GET", "/", headers={"accept": "application/json"})
        except Exception as error:  # noqa: BLE001 - see `why`
            assert speaker.asked == []
            return why(error, settings)
        assert len(speaker.asked) == 1
        return None


@pytest.fixture
def right(certificates: Certificates, tmp_path: Path) -> ssl.SSLContext:
    return served(certificates.server, tmp_path, certificates.ca)


def test_a_certificate_of_the_authority_in_the_file_is_right(
    certificates: Certificates, right: ssl.SSLContext
) -> None:
    assert failure_at(right, ca=certificates.ca) is None


def test_a_certificate_of_another_authority_stops_the_sink(
    certificates: Certificates, right: ssl.SSLContext
) -> None:
    failure = failure_at(right, ca=certificates.other_ca)
    assert failure is not None
    assert failure.stops
    assert str(certificates.other_ca) in failure.detail
    assert "ca_file" in failure.remedy


def test_where_nothing_is_configured_the_authorities_of_the_host_are_asked(right: ssl.SSLContext) -> None:
    failure = failure_at(right)
    assert failure is not None
    assert "this host trusts" in failure.detail


def test_a_certificate_for_another_name_stops_the_sink(certificates: Certificates, tmp_path: Path) -> None:
    failure = failure_at(served(certificates.elsewhere, tmp_path), ca=certificates.ca)
    assert failure is not None
    assert failure.stops
    assert "another name" in failure.detail


def test_a_certificate_that_has_expired_stops_the_sink(certificates: Certificates, tmp_path: Path) -> None:
    failure = failure_at(served(certificates.expired, tmp_path), ca=certificates.ca)
    assert failure is not None
    assert failure.stops
    assert "expired" in failure.detail


def test_the_fingerprint_of_the_authority_is_enough(
    certificates: Certificates, right: ssl.SSLContext
) -> None:
    assert failure_at(right, fingerprint=fingerprint_of(certificates.ca)) is None


def test_the_fingerprint_of_the_certificate_itself_is_enough(
    certificates: Certificates, tmp_path: Path
) -> None:
    alone = served(certificates.server, tmp_path)
    assert failure_at(alone, fingerprint=fingerprint_of(certificates.server.cert)) is None


def test_a_fingerprint_that_nobody_shows_stops_the_sink(
    certificates: Certificates, right: ssl.SSLContext
) -> None:
    failure = failure_at(right, fingerprint=fingerprint_of(certificates.other_ca))
    assert failure is not None
    assert failure.stops
    assert "ca_fingerprint" in failure.remedy


def test_who_only_shows_the_right_authority_beside_a_certificate_of_another_is_not_believed(
    certificates: Certificates, tmp_path: Path
) -> None:
    # Certificates are public: anybody can put that of the authority behind their own.
    other = tmp_path / "other"
    stranger = certificates_in(other)
    chain = served(stranger.server, tmp_path, certificates.ca)
    failure = failure_at(chain, fingerprint=fingerprint_of(certificates.ca))
    assert failure is not None
    assert failure.stops
    assert "does not come from the one of 'ca_fingerprint'" in failure.detail


def test_with_a_fingerprint_the_name_is_verified_too(certificates: Certificates, tmp_path: Path) -> None:
    chain = served(certificates.elsewhere, tmp_path, certificates.ca)
    failure = failure_at(chain, fingerprint=fingerprint_of(certificates.ca))
    assert failure is not None
    assert "another name" in failure.detail


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"\xff\xfe"])
def test_a_file_without_certificates_stops_the_sink(
    content: bytes | None, right: ssl.SSLContext, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    failure = failure_at(right, ca=file)
    assert failure is not None
    assert failure.stops
    assert str(file) in failure.detail


def test_who_does_not_speak_tls_is_told_so() -> None:
    with Speaker() as speaker:
        settings = ElasticSettings(hosts=(speaker.url.replace("http:", "https:"),), timeout_s=5.0)
        with closing(client_of(settings)) as client, pytest.raises(Exception) as failure:  # noqa: PT011 - see `why`
            client.perform_request("GET", "/", headers={"accept": "application/json"})
    assert not why(failure.value, settings).stops
