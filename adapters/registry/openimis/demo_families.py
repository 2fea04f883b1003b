"""The demo's places, products and families as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from gateway.domain.periods import add_months
from gateway.domain.policy import NEW, RENEWAL, PolicyStatus


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A household price for six, for twelve months."""

    code: str
    name: str
    place: str
    price: str
    installments: int | None = None
    provider_code: str = "SP19960"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A member; the first of a family is its head. The phone is spelt as somebody typed it."""

    name: str
    gender: str
    age: int
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class DemoPolicy:
    """Twelve months that end ``months`` and ``days`` from today. ``paid``: other than nothing (idle) or everything."""

    months: int
    days: int = 0
    status: PolicyStatus = PolicyStatus.ACTIVE
    stage: str = NEW
    paid: str | None = None
    prompted: bool = False  # an officer has been told to call on the family

    def expiry(self, today: date) -> date:
        """Last day of the cover."""
        return add_months(today, self.months) + timedelta(days=self.days)

    def start_days(self, today: date) -> int:
        """First day of the cover, in days from today."""
        return (add_months(self.expiry(today), -12) - today).days


@dataclass(frozen=True, slots=True)
class DemoFamily:
    """A family and what it shows."""

    english: str
    swahili: str
    village: str
    district: str
    product: str
    people: tuple[DemoPerson, ...]
    policies: tuple[DemoPolicy, ...]


@dataclass(frozen=True, slots=True)
class DemoOfficer:
    """An enrolment officer of a district, with a phone as somebody typed it."""

    code: str
    district: str
    other_names: str
    last_name: str
    phone: str


OFFICERS = (
    DemoOfficer("EO001", "Dodoma Jiji", "Rehema", "Mgaya", "0712000901"),
    DemoOfficer("EO002", "Kondoa", "Hamisi", "Kileo", "0712000902"),
    DemoOfficer("EO003", "Ubungo", "Tumaini", "Sanga", "0712000903"),
)

PLACES = (  # name, tblLocations.LocationType, parent
    ("Dodoma", "R", ""),
    ("Dodoma Jiji", "D", "Dodoma"),
    ("Hombolo", "W", "Dodoma Jiji"),
    ("Hombolo Bwawani", "V", "Hombolo"),
    ("Hombolo Makulu", "V", "Hombolo"),
    ("Kondoa", "D", "Dodoma"),
    ("Bereko", "W", "Kondoa"),
    ("Bereko Kati", "V", "Bereko"),
    ("Kisese", "V", "Bereko"),
    ("Dar es Salaam", "R", ""),
    ("Ubungo", "D", "Dar es Salaam"),
    ("Kimara", "W", "Ubungo"),
    ("Kimara Baruti", "V", "Kimara"),
    ("Kilungule", "V", "Kimara"),
)

PRODUCTS = (
    DemoProduct("CHFDOM", "CHF iliyoboreshwa Dodoma", "Dodoma", "30000"),
    DemoProduct("CHFDAR", "CHF iliyoboreshwa Dar es Salaam", "Dar es Salaam", "150000"),
    DemoProduct("CHFKON", "CHF Kondoa kwa awamu", "Kondoa", "30000", installments=3),
)

_DODOMA = ("Hombolo Bwawani", "Dodoma Jiji", "CHFDOM")
_DODOMA_TOO = ("Hombolo Makulu", "Dodoma Jiji", "CHFDOM")
_KONDOA = ("Bereko Kati", "Kondoa", "CHFKON")
_DAR = ("Kimara Baruti", "Ubungo", "CHFDAR")
_DAR_TOO = ("Kilungule", "Ubungo", "CHFDAR")

FAMILIES = (
    DemoFamily(
        "covered for eight more months",
        "mmelindwa miezi minane ijayo",
        *_DODOMA,
        (
            DemoPerson("Neema Kimaro", "F", 34, "0712000001"),
            DemoPerson("Baraka Kimaro", "M", 11),
            DemoPerson("Upendo Kimaro", "F", 8),
        ),
        (DemoPolicy(8),),
    ),
    DemoFamily(
        "covered, expires in a week",
        "bima inaisha wiki ijayo",
        *_DODOMA,
        (
            DemoPerson("Asha Mushi", "F", 41, "255712000002"),
            DemoPerson("Selemani Mushi", "M", 45),
            DemoPerson("Zawadi Mushi", "F", 15),
            DemoPerson("Rajabu Mushi", "M", 9),
        ),
        (DemoPolicy(0, 7, prompted=True),),
    ),
    DemoFamily(
        "expired two months ago",
        "bima iliisha miezi miwili iliyopita",
        *_DODOMA_TOO,
        (
            DemoPerson("Juma Mwakalinga", "M", 52, "+255 712 000 003"),
            DemoPerson("Halima Mwakalinga", "F", 47),
        ),
        (DemoPolicy(-2, status=PolicyStatus.EXPIRED, prompted=True),),
    ),
    DemoFamily(
        "renewal entered by the officer, waiting for its money",
        "ombi la kuhuisha linasubiri malipo",
        *_DODOMA_TOO,
        (
            DemoPerson("Mariamu Chilongani", "F", 38, "0712-000-004"),
            DemoPerson("Elia Chilongani", "M", 12),
        ),
        (
            DemoPolicy(-1, status=PolicyStatus.EXPIRED),
            DemoPolicy(12, -3, status=PolicyStatus.IDLE, stage=RENEWAL),
        ),
    ),
    DemoFamily(
        "enrolled, never paid",
        "mmeandikishwa, hamjalipa",
        *_DODOMA,
        (DemoPerson("Yohana Masanja", "M", 29, "255 712 000 005"), DemoPerson("Grace Masanja", "F", 26)),
        (DemoPolicy(12, -5, status=PolicyStatus.IDLE),),
    ),
    DemoFamily(
        "registered, no policy yet",
        "mmeandikishwa, hamna bima bado",
        *_DODOMA,
        (DemoPerson("Fatuma Ngowi", "F", 31, "0655000006"), DemoPerson("Idrisa Ngowi", "M", 4)),
        (),
    ),
    DemoFamily(
        "eight members, expires in a month",
        "watu wanane, bima inaisha mwezi ujao",
        *_DODOMA_TOO,
        (
            DemoPerson("Petro Lusinde", "M", 58, "712000007"),
            DemoPerson("Anna Lusinde", "F", 54),
            DemoPerson("Daudi Lusinde", "M", 17),
            DemoPerson("Esta Lusinde", "F", 16),
            DemoPerson("Samweli Lusinde", "M", 14),
            DemoPerson("Rutu Lusinde", "F", 12),
            DemoPerson("Yakobo Lusinde", "M", 10),
            DemoPerson("Debora Lusinde", "F", 7),
        ),
        (DemoPolicy(1),),
    ),
    DemoFamily(
        "covered, no phone of its own",
        "wamelindwa, hawana simu",
        *_DODOMA_TOO,
        (DemoPerson("Mzee Chibwana", "M", 71), DemoPerson("Sikudhani Chibwana", "F", 66)),
        (DemoPolicy(5),),
    ),
    DemoFamily(
        "covered, two phones in one family",
        "mmelindwa, simu mbili",
        *_DAR,
        (
            DemoPerson("Hassani Kitwana", "M", 44, "0712000009"),
            DemoPerson("Zainabu Kitwana", "F", 39, "+255655000009"),
            DemoPerson("Khadija Kitwana", "F", 13),
        ),
        (DemoPolicy(6),),
    ),
    DemoFamily(
        "an officer's phone, first of its two families: covered",
        "simu ya ofisa, familia ya kwanza: imelindwa",
        *_DODOMA,
        (DemoPerson("Leah Malecela", "F", 49, "0712000010"), DemoPerson("Simoni Malecela", "M", 18)),
        (DemoPolicy(3),),
    ),
    DemoFamily(
        "an officer's phone, second of its two families: expired",
        "simu ya ofisa, familia ya pili: bima imeisha",
        *_DODOMA,
        (DemoPerson("Amosi Mtemi", "M", 63, "+255 712 000010"), DemoPerson("Tabitha Mtemi", "F", 60)),
        (DemoPolicy(-4, status=PolicyStatus.EXPIRED),),
    ),
    DemoFamily(
        "suspended",
        "bima imesimamishwa",
        *_DAR_TOO,
        (DemoPerson("Omari Shebe", "M", 36, "255655000012"), DemoPerson("Mwanaidi Shebe", "F", 33)),
        (DemoPolicy(7, status=PolicyStatus.SUSPENDED),),
    ),
    DemoFamily(
        "covered, the next cover already paid",
        "mmelindwa, bima ijayo imelipwa",
        *_DAR,
        (DemoPerson("Rozi Temba", "F", 28, "0712000013"), DemoPerson("Godfrey Temba", "M", 30)),
        (DemoPolicy(0, 20), DemoPolicy(12, 20, stage=RENEWAL)),
    ),
    DemoFamily(
        "pays in instalments, 20,000 of 30,000 still due",
        "mnalipa kwa awamu, bado shilingi 20,000",
        *_KONDOA,
        (
            DemoPerson("Saidi Mdee", "M", 40, "0655 000 014"),
            DemoPerson("Pili Mdee", "F", 35),
            DemoPerson("Abdala Mdee", "M", 6),
        ),
        (DemoPolicy(12, -10, status=PolicyStatus.IDLE, paid="10000"),),
    ),
    DemoFamily(
        "expired yesterday, openIMIS has not noticed yet",
        "bima iliisha jana",
        *_DAR_TOO,
        (DemoPerson("Eliza Mrema", "F", 46, "00255712000015"), DemoPerson("Kelvini Mrema", "M", 16)),
        (DemoPolicy(0, -1),),
    ),
)
