import base64
import hashlib
import hmac
import os
import pickle
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import (
    MasterKey,
    MasterKeyError,
    Sealer,
    SealError,
    create_master_key_file,
    decode_urlsafe,
    encode_urlsafe,
    load_master_key,
)

SECRET = bytes(range(100, 132))
OTHER_SECRET = bytes(range(50, 82))


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(SECRET)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_text(SECRET.hex())
    path.chmod(0o600)
    return path


def same(one: MasterKey, other: MasterKey) -> bool:
    return one.derive(b"comparison") == other.derive(b"comparison")


class TestBase64:
    @given(st.binary())
    def test_reads_what_it_wrote(self, data: bytes) -> None:
        assert decode_urlsafe(encode_urlsafe(data)) == data

    @given(st.text())
    def test_bytes_have_one_text(self, text: str) -> None:
        try:
            data = decode_urlsafe(text)
        except ValueError:
            return
        assert encode_urlsafe(data) == text

    @pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q Q", "Q\nQ", "+/", "QQ.", "éé", "QUJD!", "QQ\n"])
    def test_refuses_other_spellings(self, text: str) -> None:
        with pytest.raises(ValueError, match="canonical"):
            decode_urlsafe(text)


class TestMasterKey:
    @pytest.mark.parametrize(
        "text",
        [
            SECRET.hex(),
            SECRET.hex().upper(),
            base64.b64encode(SECRET).decode(),
            base64.urlsafe_b64encode(SECRET).decode(),
            base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
            f"  {SECRET.hex()}\r\n",
        ],
    )
    def test_is_read_from_text(self, text: str) -> None:
        assert same(MasterKey.from_text(text), MasterKey(SECRET))

    def test_both_base64_alphabets_are_read(self) -> None:
        secret = bytes([0xFB, 0xEF, 0xFF, *range(29)])
        assert {"+", "/"} <= set(base64.b64encode(secret).decode())
        for text in (base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
            assert same(MasterKey.from_text(text.decode()), MasterKey(secret))

    @pytest.mark.parametrize(
        "text", ["", "secret", SECRET.hex()[:-1], SECRET.hex() + "00", "A" * 42, "A" * 44, "é" * 43]
    )
    def test_other_text_is_refused_and_not_quoted(self, text: str) -> None:
        with pytest.raises(MasterKeyError, match="64 hexadecimal digits or as base64") as caught:
            MasterKey.from_text(text)
        assert len(text) < 2 or text not in str(caught.value)

    @pytest.mark.parametrize("secret", [b"", SECRET[:-1], SECRET + b"x"])
    def test_has_32_bytes(self, secret: bytes) -> None:
        with pytest.raises(MasterKeyError, match="must be 32 bytes"):
            MasterKey(secret)

    @pytest.mark.parametrize("text", ["0" * 64, "deadbeef" * 8, "A" * 43])
    def test_a_placeholder_is_refused(self, text: str) -> None:
        with pytest.raises(MasterKeyError, match="placeholder"):
            MasterKey.from_text(text)

    def test_is_never_shown(self) -> None:
        key = MasterKey(SECRET)
        for text in (repr(key), str(key), f"{key}", f"{[key]}"):
            assert SECRET.hex() not in text
            assert repr(SECRET)[2:10] not in text
            assert "hidden" in text
        assert not hasattr(key, "__dict__")

    def test_is_never_pickled(self) -> None:
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(MasterKey(SECRET))

    def test_derives_by_hkdf_and_will_do_so_for_ever(self) -> None:
        """RFC 5869 written out: what is sealed today must open after every upgrade."""
        extracted = hmac.digest(bytes(32), SECRET, hashlib.sha256)
        expanded = hmac.digest(extracted, b"interdesk/signing-keys\x01", hashlib.sha256)
        assert MasterKey(SECRET).derive(b"signing-keys") == expanded

    def test_purposes_have_keys_of_their_own(self) -> None:
        key, other = MasterKey(SECRET), MasterKey(OTHER_SECRET)
        derived = {key.derive(b"cursors"), key.derive(b"signing-keys"), other.derive(b"cursors"), SECRET}
        assert len(derived) == 4
        assert {len(one) for one in derived} == {32}


class TestSealer:
    @given(st.binary(), st.binary())
    def test_opens_what_it_sealed(self, plaintext: bytes, place: bytes) -> None:
        sealer = Sealer(SECRET)
        assert sealer.open(sealer.seal(plaintext, place), place) == plaintext
        assert sealer.open_text(sealer.seal_text(plaintext, place), place) == plaintext

    def test_needs_32_bytes(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            Sealer(SECRET[:16])

    def test_seals_differently_each_time_and_hides(self, sealer: Sealer) -> None:
        sealed = {sealer.seal(b"profile", b"place") for _ in range(100)}
        assert len(sealed) == 100
        assert not any(b"profile" in one for one in sealed)

    def test_every_changed_bit_is_noticed(self, sealer: Sealer) -> None:
        sealed = sealer.seal(b"x", b"place")
        for bit in range(len(sealed) * 8):
            altered = bytearray(sealed)
            altered[bit // 8] ^= 1 << bit % 8
            with pytest.raises(SealError):
                sealer.open(bytes(altered), b"place")

    def test_every_cut_is_noticed(self, sealer: Sealer) -> None:
        sealed = sealer.seal(b"some text", b"place")
        for length in range(len(sealed)):
            with pytest.raises(SealError):
                sealer.open(sealed[:length], b"place")

    def test_belongs_to_its_place_and_key(self, sealer: Sealer) -> None:
        sealed = sealer.seal(b"x", b"place")
        with pytest.raises(SealError, match="another place"):
            sealer.open(sealed, b"elsewhere")
        with pytest.raises(SealError, match="another key"):
            Sealer(OTHER_SECRET).open(sealed, b"place")

    def test_text_fits_a_url(self, sealer: Sealer) -> None:
        text = sealer.seal_text(bytes(100), b"place")
        assert text.isascii()
        assert text.replace("-", "").replace("_", "").isalnum()

    @given(st.text())
    def test_arbitrary_text_does_not_open(self, text: str) -> None:
        with pytest.raises(SealError):
            Sealer(SECRET).open_text(text, b"place")

    @given(st.binary(max_size=80))
    def test_arbitrary_bytes_do_not_open(self, data: bytes) -> None:
        with pytest.raises(SealError):
            Sealer(SECRET).open(data, b"place")


class TestMasterKeyFile:
    @pytest.fixture(params=[0o000, 0o022, 0o777])
    def umask(self, request: pytest.FixtureRequest) -> Iterator[None]:
        before = os.umask(request.param)
        yield
        os.umask(before)

    @pytest.mark.usefixtures("umask")
    def test_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "master.key"
        created = create_master_key_file(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert same(load_master_key(path), created)
        assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]

    def test_never_replaces_one(self, key_file: Path) -> None:
        with pytest.raises(FileExistsError):
            create_master_key_file(key_file)
        assert key_file.read_text() == SECRET.hex()
        assert [entry.name for entry in key_file.parent.iterdir()] == [key_file.name]

    def test_needs_its_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MasterKeyError, match="No such file or directory"):
            create_master_key_file(tmp_path / "missing" / "master.key")

    def test_of_many_starting_at_once_one_wins_and_all_agree(self, tmp_path: Path) -> None:
        path = tmp_path / "master.key"

        def start(_: int) -> tuple[bool, bytes]:
            try:
                return True, create_master_key_file(path).derive(b"x")
            except FileExistsError:
                return False, load_master_key(path).derive(b"x")

        with ThreadPoolExecutor(8) as threads:
            outcomes = [*threads.map(start, range(32))]
        assert sum(won for won, _ in outcomes) == 1
        assert len({derived for _, derived in outcomes}) == 1

    def test_a_failed_write_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(MasterKeyError, match="No space left"):
            create_master_key_file(tmp_path / "master.key")
        assert [*tmp_path.iterdir()] == []

    def test_is_read_through_a_link(self, key_file: Path) -> None:
        link = key_file.with_name("link")
        link.symlink_to(key_file)
        assert same(load_master_key(link), MasterKey(SECRET))

    @pytest.mark.parametrize(
        ("owner", "mode", "accepted"),
        [
            (1000, 0o600, True),
            (1000, 0o400, True),
            (1000, 0o640, False),
            (1000, 0o604, False),
            (1000, 0o620, False),
            (0, 0o600, True),
            (0, 0o440, True),
            (0, 0o640, True),
            (0, 0o644, False),
            (0, 0o660, False),
            (0, 0o650, False),
        ],
    )
    def test_is_kept_from_others(
        self,
        owner: int,
        mode: int,
        accepted: bool,  # noqa: FBT001 - a column of the table
        key_file: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        status = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, 1000, 64, 0, 0, 0))
        monkeypatch.setattr(os, "fstat", lambda _: status)
        if accepted:
            assert same(load_master_key(key_file), MasterKey(SECRET))
        else:
            with pytest.raises(MasterKeyError, match=f"mode {mode:04o}.*chmod 600"):
                load_master_key(key_file)

    def test_a_file_open_to_all_is_refused(self, key_file: Path) -> None:
        key_file.chmod(0o644)
        with pytest.raises(MasterKeyError, match="can be read or changed by others"):
            load_master_key(key_file)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(MasterKeyError, match=r"there is no master key at .*master\.key"):
            load_master_key(tmp_path / "master.key")

    def test_an_unreadable_file_is_explained(self, key_file: Path) -> None:
        with pytest.raises(MasterKeyError, match="cannot be read: Not a directory"):
            load_master_key(key_file / "below")

    def test_folders_and_pipes_are_refused_at_once(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe, 0o600)
        for path in (tmp_path, pipe):
            with pytest.raises(MasterKeyError, match="not a regular file"):
                load_master_key(path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "64 hexadecimal digits"),
            (b"x" * 5000, "64 hexadecimal digits"),
            (SECRET + b"\xff", "must be text"),
            (b"0" * 64, "placeholder"),
        ],
    )
    def test_other_content_is_explained_with_the_path(self, content: bytes, message: str, key_file: Path) -> None:
        key_file.write_bytes(content)
        with pytest.raises(MasterKeyError, match=rf"master\.key: .*{message}"):
            load_master_key(key_file)
