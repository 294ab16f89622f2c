from __future__ import annotations

from fhir.resources.R4B.codesystem import CodeSystem

from her2path.reports import codes
from her2path.reports.codes import LOINC, Code
from tests.support.fhir_page import CODE_SYSTEM, COMMAND, PAGE, code_system, page
from tests.support.fhir_rules import CHECKED, WARNED


def test_the_page_on_fhir_shows_what_is_written():
    assert PAGE.read_text(encoding="utf-8") == page(), f"run `{COMMAND}`"


def test_the_code_system_is_the_word_list_of_the_package():
    text = CODE_SYSTEM.read_text(encoding="utf-8")
    assert text == code_system(), f"run `{COMMAND}`"
    assert CodeSystem.model_validate_json(text).url == codes.LOCAL


def test_every_code_that_is_warned_of_is_named_there_as_not_used():
    text = PAGE.read_text(encoding="utf-8")
    assert all(code in text for code in WARNED)


def test_every_loinc_code_in_the_package_was_checked():
    found = [value for value in vars(codes).values() if isinstance(value, Code)]
    mapped = [value for name in ("IHC_ANSWERS", "STATUS_ANSWERS") for value in getattr(codes, name).values()]
    used = {code.code for code in (*found, *mapped) if code.system == LOINC}
    assert used <= CHECKED
    assert not used & WARNED
