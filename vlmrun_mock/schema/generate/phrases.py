"""Makers of single believable texts, each for a subject: a name, a number, a sentence."""

from __future__ import annotations

import base64 as base64s
import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING

from vlmrun_mock.schema.generate.days import hour_of, offset_of

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.world import Subject

BANKS = ("Cascade Community Bank", "First Prairie Bank", "Harborview Savings Bank", "Summit Valley Credit Union")
PRODUCTS = (
    "Oak writing desk", "Laser printer paper, 500 sheets", "Ergonomic office chair", "Steel shelving unit",
    "Espresso machine", "LED desk lamp", "Wireless keyboard", "Packing tape, 6 rolls", "Annual maintenance visit",
    "On-site installation", "Cordless drill", "Cotton work gloves", "Stainless water bottle", "Shipping carton, large",
)  # fmt: skip  # several a line
PROJECTS = ("Riverside renovation", "Warehouse relocation", "Spring catalog", "Customer portal", "Annual review")
SKILLS = ("Project management", "Bookkeeping", "Python", "Technical writing", "Data analysis", "Public speaking")
TITLES = ("Quarterly operations review", "Office supplies for spring", "Delivery schedule", "Service agreement")
NOTES = (
    "Please quote the reference with your payment.",
    "Deliver to the loading dock between 8 am and 4 pm.",
    "Call ahead on the day of delivery.",
    "Thank you for your business.",
)
SENTENCES = (
    "The work was carried out as agreed and accepted on the same day.",
    "The goods arrived complete and in good condition.",
    "The period closed with higher volume and steady costs.",
    "All figures were checked against the original records.",
    "The next review is planned for the coming quarter.",
)
INSURERS = ("Summit Valley Health Plan", "Harborview Mutual Insurance", "First Prairie Insurance Company")
MEDICATIONS = ("Amoxicillin", "Lisinopril", "Metformin", "Atorvastatin", "Ibuprofen")
DIAGNOSES = ("Essential hypertension", "Type 2 diabetes mellitus", "Acute bronchitis", "Mild persistent asthma")
VEHICLES = (("Toyota", "Corolla"), ("Honda", "Civic"), ("Ford", "Escape"), ("Subaru", "Outback"), ("Mazda", "CX-5"))
CONNECTIONS = {
    "postgres": "postgresql",
    "cockroach": "cockroachdb",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "mongo": "mongodb",
    "redis": "redis",
    "amqp": "amqp",
    "kafka": "kafka",
    "nats": "nats",
    "clickhouse": "clickhouse",
    "snowflake": "snowflake",
    "ftp": "ftp",
    "websocket": "wss",
    "ws": "wss",
}
"""Schemes of URIs that are not web pages, by a word in the field's name."""

SHORT = (
    "Standard",
    "Northern region",
    "Series B",
    "Regular",
    "Main office",
    "Second floor",
    "Grade A",
    "Full coverage",
)


def one_of(*texts: str) -> Callable[[Subject], str]:
    """Return a maker that picks one of some texts."""
    return lambda subject: subject.random().choice(texts)


bank = one_of(*BANKS)
product = one_of(*PRODUCTS)
project = one_of(*PROJECTS)
skill = one_of(*SKILLS)
title = one_of(*TITLES)
note = one_of(*NOTES)
sentence = one_of(*SENTENCES)
short = one_of(*SHORT)
insurer = one_of(*INSURERS)
medication = one_of(*MEDICATIONS)
diagnosis = one_of(*DIAGNOSES)
color = one_of("blue", "green", "black", "silver", "red")


def digits(count: int) -> Callable[[Subject], str]:
    """Return a maker of so many digits, the first of them not 0."""
    return lambda subject: str(subject.random().randrange(10 ** (count - 1), 10**count))


def prefixed(prefix: str, count: int) -> Callable[[Subject], str]:
    """Return a maker of a prefix with so many digits behind it."""
    return lambda subject: f"{prefix}{digits(count)(subject)}"


def numbered(prefix: str) -> Callable[[Subject], str]:
    """Return a maker of numbers as offices give them: INV-2024-0417."""
    return lambda subject: f"{prefix}-{subject.day(0).year}-{subject.random().randrange(1, 1000):04}"


def plain_id(subject: Subject) -> str:
    """Return an identifier such as A-48213."""
    return f"{(''.join(subject.role)[:1] or 'a').upper()}-{subject.random().randrange(10_000, 100_000)}"


def sku(subject: Subject) -> str:
    """Return a stock-keeping number such as KX-4821."""
    source = subject.random()
    return f"{source.choice('BDHKLMT')}{source.choice('ANRTX')}-{source.randrange(1000, 10_000)}"


def plate(subject: Subject) -> str:
    """Return a license plate such as KXL-4821."""
    source = subject.random()
    return f"{''.join(source.choice('BDHKLMT') for _ in range(3))}-{source.randrange(1000, 10_000)}"


def vehicle(subject: Subject) -> tuple[str, str]:
    """Return the make and the model of the vehicle that the fields of this role speak of."""
    return subject.shared("vehicle").choice(VEHICLES)


def middle_name(subject: Subject) -> str:
    """Return an initial."""
    return subject.random().choice("ABCDEFGHJKLMPRST")


def user_name(subject: Subject) -> str:
    """Return a login made of the person's name."""
    person = subject.person()
    return f"{person.first[0]}{person.last}".lower()


def file_name(subject: Subject) -> str:
    """Return the name of a scanned file."""
    return f"scan-{subject.random().randrange(1000, 10_000)}.pdf"


def email(subject: Subject) -> str:
    """Return the person's address, at a host reserved for examples."""
    person = subject.person()
    return f"{person.first}.{person.last}@example.com".lower()


def company_email(subject: Subject) -> str:
    """Return an address of the company's office."""
    return f"office@{subject.company_host()}"


def phone(subject: Subject) -> str:
    """Return a telephone number of the range 555-0100 to 555-0199, which is reserved for fiction."""
    return f"({subject.locality().area_code}) 555-01{subject.random().randrange(100):02}"


def website(subject: Subject) -> str:
    """Return the company's site, at a host reserved for examples."""
    return f"https://www.{subject.company_host()}"


def profile(site: str) -> Callable[[Subject], str]:
    """Return a maker of the address of a person's page, at a host reserved for examples."""
    return lambda subject: f"https://{site}.example.com/{user_name(subject)}"


def uri(subject: Subject) -> str:
    """Return the company's site, or a connection to the service that the field's name speaks of."""
    return connection(subject) if not CONNECTIONS.keys().isdisjoint(subject.words) else website(subject)


def connection(subject: Subject) -> str:
    """Return how to reach a database or another service, a PostgreSQL one where the name says nothing."""
    scheme = next((CONNECTIONS[word] for word in subject.words if word in CONNECTIONS), "postgresql")
    return f"{scheme}://reader:secret@{subject.company_host()}/archive"


def street(subject: Subject) -> str:
    """Return a house number and a street."""
    source = subject.shared("street")
    return f"{source.randrange(100, 9900)} {subject.faker(source).street_name()}"


def suite(subject: Subject) -> str:
    """Return the second line of an address."""
    return f"Suite {subject.random().randrange(100, 900)}"


def address(subject: Subject) -> str:
    """Return an address in one line."""
    town = subject.locality()
    return f"{street(subject)}, {town.city}, {town.state_code} {town.zip_code}"


def job(subject: Subject) -> str:
    """Return an occupation."""
    return str(subject.faker(subject.random()).job())


def iban(subject: Subject) -> str:
    """Return an IBAN whose check digits are right, of the bank code WEST that standards use in examples."""
    account = f"{subject.random().randrange(10**13, 10**14)}"
    number = "".join(str(int(letter, 36)) for letter in f"WEST{account}GB00")
    return f"GB{98 - int(number) % 97:02}WEST{account}"


def bic(subject: Subject) -> str:
    """Return a BIC of eight letters, an American one."""
    source = subject.random()
    return f"{''.join(source.choice('ABCDEFGHKLMNPRST') for _ in range(4))}US33"


def social_security(subject: Subject) -> str:
    """Return a number of the range 9xx, which is never given out as a social security number."""
    source = subject.random()
    return f"9{source.randrange(100):02}-{source.randrange(1, 50):02}-{source.randrange(1, 10_000):04}"


def employer_number(subject: Subject) -> str:
    """Return a number in the form of an American employer's."""
    return f"00-{subject.random().randrange(10**6, 10**7)}"


def uuid(subject: Subject) -> str:
    """Return a UUID of version 4."""
    return str(uuids.UUID(int=subject.random().getrandbits(128), version=4))


def uuid_of(version: int) -> Callable[[Subject], str]:
    """Return a maker of UUIDs of a version, 1 to 8; Python's own knows just some of them."""
    return lambda subject: f"{uuid(subject)[:14]}{version}{uuid(subject)[15:]}"


def base64(subject: Subject) -> str:
    """Return a short text in base64 that has none of the letters in which its two alphabets differ."""
    return base64s.b64encode(short(subject).encode()).decode()


def ip_address(subject: Subject) -> str:
    """Return an address of a network that RFC 5737 reserves for documentation."""
    return f"203.0.113.{subject.random().randrange(1, 255)}"


def password(subject: Subject) -> str:
    """Return a password that nobody has."""
    return f"{subject.company().split(' ')[0]}-{subject.random().randrange(1000, 10_000)}!"


def date(subject: Subject) -> str:
    """Return an ISO date; what falls due or ends is later than what is issued or begins."""
    if not {"birth", "dob", "birthday"}.isdisjoint(subject.words):
        source = subject.random()
        return f"{source.randrange(1955, 2003)}-{source.randrange(1, 13):02}-{source.randrange(1, 29):02}"
    return subject.day(offset_of(subject.words)).isoformat()


def time(subject: Subject) -> str:
    """Return a time of day such as 09:35; what ends does so later than what begins."""
    return subject.clock(hour_of(subject.words))


def date_time(subject: Subject) -> str:
    """Return an ISO date and time in UTC."""
    return f"{date(subject)}T{time(subject)}:00Z"
