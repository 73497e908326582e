"""Storage URLs: how they are written, and that no password in them is shown."""

import pytest

from search_spaces import InputError
from study.storage.url import parse, server_name, shown_url, storage_flag, without_passwords

SECRETS = {
    "plain": ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
    "old scheme": ("postgres://me:secret@host/db", "postgresql://me:***@host/db"),
    "with the driver": ("postgresql+psycopg://me:secret@host:5432/db", "postgresql://me:***@host:5432/db"),
    "without a user": ("postgresql://:secret@host/db", "postgresql://:***@host/db"),
    "escaped": ("postgresql://me:%73ecret%40@host/db", "postgresql://me:***@host/db"),
    "odd characters": ("postgresql://me:se cret/?#secret@host/db", "postgresql://me:***@host/db"),
    "as a parameter": ("postgresql://host/db?user=me&password=secret", "postgresql://host/db?password=***&user=me"),
    "of a key": ("postgresql://host/db?sslpassword=secret&a=b", "postgresql://host/db?a=b&sslpassword=***"),
}


@pytest.mark.parametrize("form", SECRETS)
def test_a_password_is_not_shown(form):
    url, shown = SECRETS[form]
    assert shown_url(url) == shown
    assert "ecret" not in storage_flag(url) + without_passwords(f"--storage={url}") + server_name(parse(url))
    assert "%73" not in storage_flag(url) + without_passwords(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@host:port/db", r"'postgresql://me:\*\*\*@host:port/db' is not a database URL"),
        ("host=here password=secret dbname=db", r"'host=here password=\*\*\* dbname=db' is not a database URL"),
        ("mysql://me:secret@host/db", r"'mysql://me:\*\*\*@host/db' cannot keep studies"),
        ("postgresql://me:se@cret@host/db", r"the password in 'postgresql://me:\*\*\*@host/db' contains @: write %40"),
        (
            "postgresql://me:p@secret/w@host/db",
            r"the password in 'postgresql://me:\*\*\*@host/db' contains @: write %40",
        ),
        (
            "postgresql://me:p@secret?w@host/db",
            r"the password in 'postgresql://me:\*\*\*@host/db' contains @: write %40",
        ),
        ("postgresql+asyncpg://me:secret@host/db", r"cannot keep studies, only SQLite and PostgreSQL can"),
    ],
)
def test_nor_in_a_refusal(url, said):
    with pytest.raises(InputError, match=said) as refused:
        parse(url)
    assert "ecret" not in str(refused.value)


def test_a_password_with_at_signs_is_hidden_in_a_sentence():
    said = without_passwords("cannot reach postgresql://me:a@secret/b@host/db: check me@example.com")
    assert said == "cannot reach postgresql://me:***@host/db: check me@example.com"


def test_a_command_keeps_all_else():
    words = [
        "search.py",
        "--command",
        "python train.py --url http://host:80/a?b=c --to me@example.com",
        "--trials",
        "5",
    ]
    assert [without_passwords(word) for word in words] == words


def test_a_server_has_one_name_by_all_its_urls():
    names = {server_name(parse(url)) for url in ("postgres://host/db", "postgresql+psycopg://me:secret@host/db")}
    assert names == {"host_db"}
    assert server_name(parse("postgresql:///db")) == "localhost_db"
