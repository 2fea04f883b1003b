"""A new openIMIS installation: its own schema on an empty database, and the rows its foreign keys and users need."""

from __future__ import annotations

from core.models import InteractiveUser, Language, Role, User, UserRole
from django.core.management import call_command
from django.db import transaction
from insuree.models import ConfirmationType, FamilyType, Gender, IdentificationType, InsureeStatusReason, Relation

ADMINISTRATOR = 64  # Role.is_system of the role that may do everything
CLERK = "clerk"
_RELATIONS = ("Brother/Sister", "Father/Mother", "Uncle/Aunt", "Son/Daughter", "Grandparents", "Employee", "Others")


def create() -> dict[str, int]:
    """Make the tables and the lookup rows; answer with the tblUsers row that AuditUserID names."""
    call_command("migrate", "--run-syncdb", verbosity=0, interactive=False)
    with transaction.atomic():
        return _rows()


def _rows() -> dict[str, int]:
    for code, name in (("M", "Male"), ("F", "Female"), ("O", "Other")):
        Gender.objects.create(code=code, gender=name)
    for number, name in enumerate((*_RELATIONS, "Spouse"), 1):
        Relation.objects.create(id=number, relation=name)
    FamilyType.objects.create(code="H", type="Household")
    ConfirmationType.objects.create(code="A", confirmationtype="Not poor")
    IdentificationType.objects.create(code="V", identification_type="Voter's card")
    InsureeStatusReason.objects.create(id=1, insuree_status_reason="Moved", code="M", status_type="IN")
    languages = [
        Language.objects.create(code=code, name=name) for code, name in (("en", "English"), ("sw", "Kiswahili"))
    ]
    role = Role.objects.create(name="Administrator", is_system=ADMINISTRATOR, is_blocked=False, audit_user_id=-1)
    person = InteractiveUser(
        language=languages[0],
        last_name="Clerk",
        other_names="Office",
        login_name=CLERK,
    )
    person.save()
    UserRole.objects.create(user=person, role=role, audit_user_id=-1)
    User(username=CLERK, i_user=person).save()
    return {"audit_user_id": person.id}
