"""The one form in which identifiers are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.matching.identifiers import comparable
from app.models.vocabularies import IdentifierType


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        ("phone", "+855 12 345 678", "+85512345678"),
        ("phone", "+៨៥៥ ១២ ៣៤៥ ៦៧៨", "+85512345678"),
        ("phone", "\uff0b\uff18\uff15\uff15 \uff11\uff12 \uff13\uff14\uff15 \uff16\uff17\uff18", "+85512345678"),
        ("phone", "012 345 678", None),
        ("email", "Boss@Bokor.Example", "boss@bokor.example"),
        ("email", "boss at bokor", None),
        ("domain", "Bokor-Jobs[.]EXAMPLE.", "bokor-jobs.example"),
        ("domain", "ខ្មែរ.example", "xn--j2e0cg3n2c.example"),
        ("domain", "bokor", None),
        ("domain", "-a.example", None),
        ("domain", "\u200d.example", None),
        ("url", "hxxps://Bokor-Jobs[.]example:443/Apply/?id=7#top", "bokor-jobs.example/Apply?id=7"),
        ("url", "http://bokor-jobs.example/", "bokor-jobs.example"),
        ("url", "bokor-jobs.example:8443/x", "bokor-jobs.example:8443/x"),
        ("url", "ftp://bokor-jobs.example/x", "ftp://bokor-jobs.example/x"),
        ("url", "http://[2001:DB8::0]/x", "2001:db8::/x"),
        ("url", "http://[::1", None),
        ("url", "http://a.example:99999/", None),
        ("url", "see the note", None),
        ("ip_address", "203.0.113[.]7", "203.0.113.7"),
        ("ip_address", "2001:DB8:0:0::1", "2001:db8::1"),
        ("ip_address", "203.0.113.700", None),
        ("crypto_wallet", "0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7"),
        ("crypto_wallet", "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        ("crypto_wallet", "bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("crypto_wallet", "his cold wallet", None),
        ("bank_account", "GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432"),
        ("company_number", "864-831.43", "86483143"),
        ("passport", "m 1234<5678", "M12345678"),
        ("national_id", "?-", None),
        ("vehicle_plate", "2ab-1234", "2AB1234"),
        ("vehicle_plate", "กข 1234", "กข1234"),
        ("vehicle_plate", "2A", None),
        ("vessel", "IMO 9319466", "IMO9319466"),
        ("vessel", "9319466", "IMO9319466"),
        ("vessel", "mmsi 440123456", "MMSI440123456"),
        ("vessel", "the blue one", None),
        ("social_account", "@Bokor_Jobs", "bokor_jobs"),
        ("messenger_account", "Bokor Jobs", None),
    ],
)
def test_form(kind: str, value: str, form: str | None) -> None:
    assert comparable(IdentifierType(kind), value) == form


@pytest.mark.parametrize("kind", IdentifierType)
@given(value=st.text(max_size=60))
def test_any_text_has_a_form_or_none(kind: IdentifierType, value: str) -> None:
    form = comparable(kind, value)
    assert form is None or form.strip()
