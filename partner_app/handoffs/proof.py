"""Whether a credential may write a project's budget, checked before an approval.

Procore's documentation allows two readings: Admin on the Budget tool, or a granular permission
within it. Either is enough, and both are reported.
"""

from dataclasses import dataclass

from integrations.procore.api.asked import EDIT_BUDGET
from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Forbidden, NotFoundOrHidden, Unreadable
from integrations.procore.api.manifest import PATH, Manifest, read_manifest

TOOL = "Budget"


@dataclass(frozen=True)
class WriteProof:
    """For one project. `found`: both readings in words, for a person who is refused."""

    project_id: int
    proved: bool
    found: str = ""
    level: str = ""
    granular: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "proved": self.proved,
            "budget_level": self.level,
            "granular": {EDIT_BUDGET.label: self.granular},
        }


def prove_write(client: ProcoreClient, project_id: int) -> WriteProof:
    """Checks with this credential. What Procore does not say clearly is not proof.

    Raises ProcoreError where Procore has a fault, so that this refuses nobody.
    """
    try:
        manifest = read_manifest(client.get(PATH, project_id=project_id))
    except NotFoundOrHidden:
        found = "the project is not permitted or does not exist"
        return WriteProof(project_id, proved=False, found=found)
    except (Forbidden, Unreadable) as error:
        found = f"nothing about its permissions ({error.message})"
        return WriteProof(project_id, proved=False, found=found)
    return _proof_of(manifest, project_id)


def _proof_of(manifest: Manifest, project_id: int) -> WriteProof:
    level = manifest.level(TOOL)
    clear = manifest.understood(TOOL)
    granular = EDIT_BUDGET.given_by(manifest, TOOL)
    shown = level.label if clear else "an answer that was not understood"
    given = "given" if granular else "not given"
    found = f"Budget: {shown}; “{EDIT_BUDGET.label}”: {given}"
    return WriteProof(
        project_id,
        proved=manifest.edits_budget,
        found=found,
        level=level.label if clear else "",
        granular=granular,
    )
