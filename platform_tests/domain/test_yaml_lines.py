from __future__ import annotations

import pytest

from offramp.domain.errors import ProjectError, SettingsError
from offramp.domain.yaml_lines import compose

TEXT = """\
models:
  - name: users
    columns: {id: 01, "title": 'a b'}
  - name: tags
base: &base {one: 1, two: 2}
more: {<<: *base, two: 3}
no: ${X:-none} and $$5
"""


def test_values_know_their_lines_and_their_text() -> None:
    located = compose(TEXT, "a.yml")

    assert located.value["models"][0] == {"name": "users", "columns": {"id": 1, "title": "a b"}}
    assert located.line_of(("models", 0, "columns", "title")) == 3
    assert located.line_of(("models", 1)) == 4
    assert located.text_of(("models", 0, "columns", "id")) == "01"
    assert "no" in located.value


def test_an_absent_path_has_the_line_of_its_nearest_parent() -> None:
    located = compose(TEXT, "a.yml")

    assert located.line_of(("models", 1, "columns", "id")) == 4
    assert located.line_of(("nothing",)) == 1


def test_merged_keys_give_way_to_own_ones() -> None:
    assert compose(TEXT, "a.yml").value["more"] == {"one": 1, "two": 3}


def test_variables_are_filled_into_texts_only() -> None:
    located = compose("a: ${X}-${Y:-b}-$$\nb: 5\nraw: {c: 05, d: yes}", "a.yml")

    filled = located.filled({"X": "1", "Y": ""}, as_written=frozenset({"raw"}), error=SettingsError)

    assert filled == {"a": "1-b-$", "b": 5, "raw": {"c": "05", "d": "yes"}}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands twice"),
        ("a:\n  - {b: 1, b: 2}\n", 2, "'b' stands twice"),
        ("a: [\n", 2, "not YAML"),
        ("a: 1\n? [b]\n: 2\n", 2, "a key must be text"),
        ("a: 1\nb: &x [*x]\n", 2, "stands inside"),
        ("a: 1\nb: 2026-02-30\n", 2, "'2026-02-30' is not a value"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
        ("a: !!python/name:os.system\n", 1, "not YAML"),
        ("a: \x00\n", None, "bytes that no text has"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(ProjectError) as caught:
        compose(text, "a.yml")

    assert says in str(caught.value)
    assert caught.value.line == line


def test_an_empty_text_is_none() -> None:
    assert compose("", "a.yml").value is None
