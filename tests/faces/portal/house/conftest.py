"""Answers of the test client carry what their pages were made from."""

import pytest
from django.template import Template
from django.test.utils import instrumented_test_render


@pytest.fixture(autouse=True)
def contexts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Template, "_render", instrumented_test_render)
