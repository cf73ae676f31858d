"""Answers to a security review, each backed by tests that fail if it is not true."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class QuestionnaireAnswer:
    question: str
    answer: str
    tests: tuple[str, ...]


ANSWERS = (
    QuestionnaireAnswer(
        "How are customers kept apart?",
        "By forced row-level security in Postgres: the app's role neither owns the tables nor may "
        "bypass a policy, and a transaction that names no tenant sees no row.",
        (
            "tests/trust/test_tenants.py::test_no_table_gives_a_row_to_another_tenant_or_takes_one",
            "tests/trust/test_tenants.py::test_removing_any_single_policy_is_noticed",
            "tests/trust/test_tenants.py::test_two_tenants_over_one_server_connection_never_see_each_other",
        ),
    ),
    QuestionnaireAnswer(
        "How are tokens stored, and who can read them?",
        "Sealed with rotating Fernet keys (AES-128-CBC with HMAC-SHA256). One module of the code opens "
        "them; no page, log, export, traceback or message holds one.",
        (
            "tests/trust/test_secrets.py::test_no_token_stands_in_the_database_unsealed",
            "tests/trust/test_secrets.py::test_no_token_reaches_a_log_a_page_an_export_a_traceback_or_the_broker",
            "tests/trust/test_secrets.py::test_keys_are_rotated_under_load_and_nothing_stays_under_the_old_one",
        ),
    ),
    QuestionnaireAnswer(
        "Is a refresh token ever used twice?",
        "No. One process refreshes under a lock, and says so in the database before it asks.",
        (
            "tests/connections/test_refresh.py::test_64_workers_on_an_expired_token_cause_exactly_one_refresh",
            "tests/connections/test_refresh.py::test_a_thousand_seeded_faults_cause_no_second_use_and_no_loop",
        ),
    ),
    QuestionnaireAnswer(
        "How is a user authenticated, and what may they see?",
        "By Procore's sign-in in a window of its own, audited; then only what Procore's permissions "
        "give to that person, asked with their own token.",
        (
            "tests/embedded/test_sign_in.py::test_somebody_of_another_company_gets_no_session",
            "tests/embedded/test_sign_in.py::test_without_a_bearer_nothing_is_shown",
            "tests/trust/test_tenants.py::test_every_address_with_an_id_refuses_the_other_tenants",
        ),
    ),
    QuestionnaireAnswer(
        "Who of the partner's people can see customer data?",
        "Nobody, unless the company's administrator allows it for some hours; each look is recorded "
        "and shown to the company. Partner admins sign in with a second factor.",
        (
            "tests/accounts/test_admins.py::test_without_a_grant_no_content_is_shown_and_each_look_under_one_is_recorded",
            "tests/accounts/test_admins.py::test_a_second_factor_is_asked_at_every_sign_in",
        ),
    ),
    QuestionnaireAnswer(
        "Who may frame the app's pages?",
        "The embedded pages, Procore's frame alone; all others, nobody. The frame needs no cookie.",
        (
            "tests/trust/test_wire.py::test_every_answer_carries_the_security_headers",
            "tests/trust/test_wire.py::test_a_cookie_is_no_key_to_the_frame",
        ),
    ),
    QuestionnaireAnswer(
        "How long is data kept, and how is it deleted?",
        "As long as the app is installed, and for the days that the administrator has set after "
        "that, 30 at most. Then every row of the company is deleted in every table.",
        (
            "tests/tenancy/test_lifecycle.py::test_after_the_grace_no_row_of_the_company_is_left_in_any_table",
            "tests/tenancy/test_lifecycle.py::test_an_uninstall_ends_calls_sessions_and_tokens_at_once",
            "tests/tenancy/test_lifecycle.py::test_what_is_past_its_time_is_deleted",
        ),
    ),
    QuestionnaireAnswer(
        "Which permissions does the app ask for?",
        "Those of the operations that it calls, and no other: the client refuses a call that is not "
        "on the list from which the permissions asked for are derived.",
        (
            "tests/marketplace/test_kit.py::test_what_is_asked_for_is_what_is_called",
            "tests/marketplace/test_kit.py::test_a_call_that_is_not_listed_never_leaves",
        ),
    ),
    QuestionnaireAnswer(
        "Does the app keep to Procore's rate limits?",
        "Yes: to both windows, shared by all processes, with Retry-After honoured to the second.",
        (
            "tests/sync/test_sync.py::test_it_waits_as_long_as_procore_asks_and_never_calls_too_early",
        ),
    ),
    QuestionnaireAnswer(
        "What is recorded?",
        "Sign-ins, installs, pushes, exports, settings and what partner admins do, in a log that the "
        "app itself can neither change nor delete.",
        ("tests/tenancy/test_context.py::test_the_audit_log_cannot_be_rewritten_by_the_app",),
    ),
)


def missing_tests(root: Path = Path(settings.ROOT)) -> list[str]:
    """Tests that an answer names but that do not exist."""
    gone = []
    for answer in ANSWERS:
        for test in answer.tests:
            file, _, name = test.partition("::")
            path = root / file
            if not path.exists() or not re.search(
                rf"^def {name}\(", path.read_text(), re.MULTILINE
            ):
                gone.append(test)
    return gone


def answers_as_markdown() -> str:
    parts = ["# Security questionnaire\n"]
    for answer in ANSWERS:
        tests = "\n".join(f"- `{test}`" for test in answer.tests)
        parts.append(f"## {answer.question}\n\n{answer.answer}\n\nProved by:\n\n{tests}\n")
    return "\n".join(parts)
