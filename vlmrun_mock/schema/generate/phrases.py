"""Makers of believable texts, each for a subject: a name, a number, a sentence."""

from __future__ import annotations

import base64 as base64s
import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING

from vlmrun_mock.schema.generate import functions

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.world import Subject

VEHICLES = (("Toyota", "Corolla"), ("Honda", "Civic"), ("Ford", "Escape"), ("Subaru", "Outback"), ("Mazda", "CX-5"))
SAME_SCHEME = ("mysql", "mariadb", "redis", "amqp", "kafka", "nats", "clickhouse", "snowflake", "ftp")
SCHEMES = {"postgres": "postgresql", "cockroach": "cockroachdb", "mongo": "mongodb", "websocket": "wss", "ws": "wss"}
SCHEMES |= {word: word for word in SAME_SCHEME}
"""Schemes of URIs other than web pages, by a word in the field's name."""

OFFSETS = (
    (30, {"due", "deadline"}),
    (360, {"expiry", "expiration", "expires"}),
    (90, {"end", "ends", "to", "until", "termination", "closing"}),
    (60, {"next"}),
    (9, {"received", "arrival"}),
    (21, {"paid", "payment", "settlement"}),
    (7, {"delivery", "delivered"}),
    (4, {"ship", "shipped", "shipping", "shipment"}),
    (2, {"updated", "modified", "approved"}),
    (-5, {"order", "ordered", "purchase"}),
    (-21, {"hire"}),
    (-28, {"previous"}),
)
"""Days after a document's own date, by a word in the field's name; the first row that has one wins."""

HOURS = {"end": 16, "to": 16, "until": 16, "close": 17, "closing": 17, "out": 16, "arrival": 15, "finish": 16}
"""Hours of the day, by a word in the field's name; the first one of the table wins."""

MORNING = 9


def one_of(*texts: str) -> Callable[[Subject], str]:
    """Return a maker that picks one of some texts."""
    return lambda subject: subject.random().choice(texts)


bank = one_of("Cascade Community Bank", "First Prairie Bank", "Harborview Savings Bank", "Summit Valley Credit Union")
product = one_of(
    "Oak writing desk", "Laser printer paper, 500 sheets", "Ergonomic office chair", "Steel shelving unit",
    "Espresso machine", "LED desk lamp", "Wireless keyboard", "Packing tape, 6 rolls", "Annual maintenance visit",
    "On-site installation", "Cordless drill", "Cotton work gloves", "Stainless water bottle", "Shipping carton, large",
)  # fmt: skip  # several a line
project = one_of("Riverside renovation", "Warehouse relocation", "Spring catalog", "Customer portal", "Annual review")
skill = one_of("Project management", "Bookkeeping", "Python", "Technical writing", "Data analysis", "Public speaking")
title = one_of("Quarterly operations review", "Office supplies for spring", "Delivery schedule", "Service agreement")
note = one_of(
    "Please quote the reference with your payment.",
    "Deliver to the loading dock between 8 am and 4 pm.",
    "Call ahead on the day of delivery.",
    "Thank you for your business.",
)
sentence = one_of(
    "The work was carried out as agreed and accepted on the same day.",
    "The goods arrived complete and in good condition.",
    "The period closed with higher volume and steady costs.",
    "All figures were checked against the original records.",
    "The next review is planned for the coming quarter.",
)
short = one_of(
    "Standard", "Northern region", "Series B", "Regular", "Main office", "Second floor", "Grade A", "Full coverage"
)
insurer = one_of("Summit Valley Health Plan", "Harborview Mutual Insurance", "First Prairie Insurance Company")
medication = one_of("Amoxicillin", "Lisinopril", "Metformin", "Atorvastatin", "Ibuprofen")
diagnosis = one_of("Essential hypertension", "Type 2 diabetes mellitus", "Acute bronchitis", "Mild persistent asthma")
color = one_of("blue", "green", "black", "silver", "red")


def digits(count: int) -> Callable[[Subject], str]:
    """Return a maker of `count` digits, the first of them not 0."""
    return lambda subject: str(subject.random().randrange(10 ** (count - 1), 10**count))


def prefixed(prefix: str, count: int) -> Callable[[Subject], str]:
    """Return a maker of a prefix and `count` digits."""
    return lambda subject: f"{prefix}{digits(count)(subject)}"


def numbered(prefix: str) -> Callable[[Subject], str]:
    """Return a maker of numbers such as INV-2024-0417."""
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


vessel = one_of("MV Coral Meridian", "MV Northern Heron", "MV Amber Passage", "MV Quiet Lantern")
test = one_of("Hemoglobin A1c", "Complete blood count", "Lipid panel", "Basic metabolic panel", "Urinalysis")
dish = one_of("Mushroom risotto", "Roast chicken plate", "Tomato soup", "House salad", "Apple pie")
certification = one_of("Certified Streaming Data Architect", "Project Management Professional", "First Aid at Work")
icd = one_of("J45.909", "I10", "E11.9", "M54.50", "K21.9", "G43.009", "E03.9", "R00.2")


def blood_pressure(subject: Subject) -> str:
    """Return a systolic and a diastolic pressure."""
    source = subject.random()
    systolic = source.randrange(104, 146)
    return f"{systolic}/{systolic - source.randrange(38, 54)}"


def npi(subject: Subject) -> str:
    """Return a provider's number with its check digit, which starts with 9, as none that is issued does."""
    return functions.npi(f"9{subject.random().randrange(10**8):08}")


def routing_number(subject: Subject) -> str:
    """Return a routing number with its check digit, of the range 33 to 59, in which no bank has one."""
    return functions.aba(f"{subject.random().randrange(33 * 10**6, 60 * 10**6)}")


def vehicle_number(subject: Subject) -> str:
    """Return a vehicle identification number with its check digit."""
    source = subject.random()
    letters = "".join(source.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(5))
    plant = source.choice("HJKLMNP")
    return functions.vin(f"1{letters}{source.randrange(10, 100)}0{plant}A{source.randrange(10**6):06}")


def phone_as_number(subject: Subject) -> float:
    """Return a telephone number as a whole number."""
    return float(int("".join(filter(str.isdigit, phone(subject)))))


def zip_as_number(subject: Subject) -> float:
    """Return the digits of the town's postal code as a whole number."""
    return int("".join(filter(str.isdigit, subject.locality().zip_code)) or 0)


def tax_rate(subject: Subject) -> float:
    """Return the rate of a tax on sales as a fraction: that of the country, or of one of the states."""
    if subject.country.code == "US":
        return subject.random().choice([0.05, 0.07, 0.0825])
    return float(subject.drawn(subject.random(), "town")["tax"]) / 100


def vat_id(subject: Subject) -> str:
    """Return a tax number that is not issued: of the country as far as its file says, or else an American one."""
    if "tax_number" in subject.locale.pools:
        return str(subject.drawn(subject.random(), "tax_number"))
    return f"00-{subject.random().randrange(10**6, 10**7)}"


def vehicle(subject: Subject) -> tuple[str, str]:
    """Return the make and the model of the vehicle that the fields of this role describe."""
    return subject.shared("vehicle").choice(VEHICLES)


def user_name(subject: Subject) -> str:
    """Return a login name for the person."""
    person = subject.person()
    return subject.letters(person.first)[:1] + subject.letters(person.last)


def file_name(subject: Subject) -> str:
    """Return the name of a scanned file."""
    return f"scan-{subject.random().randrange(1000, 10_000)}.pdf"


def email(subject: Subject) -> str:
    """Return the person's address, at a host reserved for examples."""
    person = subject.person()
    return f"{subject.letters(person.first)}.{subject.letters(person.last)}@example.com"


def phone(subject: Subject) -> str:
    """Return a telephone number of the town, in the United States of the range that is reserved for fiction."""
    source, town = subject.random(), subject.locality()
    if subject.country.code == "US":
        return f"({town.area_code}) 555-01{source.randrange(100):02}"
    return str(subject.drawn(source, "phone", town={"area": town.area_code}))


def decimal(subject: Subject, number: float) -> str:
    """Return a number of two decimals, with a point or a comma before them."""
    return f"{number:.2f}".replace(".", subject.locale.numbers.point)


def amount(subject: Subject) -> str:
    """Return an amount of the locale's currency as a text."""
    price = subject.random().randrange(2_000, 90_000) * subject.country.scale / 100
    return decimal(subject, price) if subject.locale.places else str(round(price))


def website(subject: Subject) -> str:
    """Return the company's site, at a host reserved for examples."""
    return f"https://www.{subject.company_host()}"


def profile(site: str) -> Callable[[Subject], str]:
    """Return a maker of the URL of the person's profile, at a host reserved for examples."""
    return lambda subject: f"https://{site}.example.com/{user_name(subject)}"


def uri(subject: Subject) -> str:
    """Return the company's site, or the address of the service that the field's name mentions."""
    return connection(subject) if not SCHEMES.keys().isdisjoint(subject.words) else website(subject)


def connection(subject: Subject) -> str:
    """Return the address of a database or another service: PostgreSQL if the field's name mentions none."""
    scheme = next((SCHEMES[word] for word in subject.words if word in SCHEMES), "postgresql")
    return f"{scheme}://reader:secret@{subject.company_host()}/archive"


def street(subject: Subject) -> str:
    """Return a house number and a street."""
    source = subject.shared("street")
    if subject.country.code == "US":
        return f"{source.randrange(100, 9900)} {subject.faker(source).street_name()}"
    if subject.locale.faker:
        return str(subject.faker(source).street_address()).replace("\n", " ")
    return str(subject.drawn(source, "street"))


def address(subject: Subject) -> str:
    """Return an address in one line."""
    town = subject.locality()
    parts = {"city": town.city, "state": town.state_code, "zip": town.zip_code}
    return subject.locale.address.format(street=street(subject), **parts)


def job(subject: Subject) -> str:
    """Return an occupation."""
    return str(subject.faker(subject.random()).job())


def payment_terms(subject: Subject) -> str:
    """Return terms of payment, in the language of the locale as far as its file has some."""
    if "terms" in subject.locale.pools:
        return str(subject.drawn(subject.random(), "terms")["text"])
    return "Net 30"


def iban(subject: Subject) -> str:
    """Return an IBAN with correct check digits: of the country, or of the bank code WEST that examples use."""
    if "bank_iban" in subject.locale.pools:
        return str(subject.drawn(subject.random(), "bank_iban"))
    account = f"{subject.random().randrange(10**13, 10**14)}"
    number = "".join(str(int(letter, 36)) for letter in f"WEST{account}GB00")
    return f"GB{98 - int(number) % 97:02}WEST{account}"


def bic(subject: Subject) -> str:
    """Return a bank's BIC, of the country as far as its file says, or else an American one."""
    source = subject.random()
    if "bank_bic" in subject.locale.pools:
        return str(subject.drawn(source, "bank_bic"))
    return f"{''.join(source.choice('ABCDEFGHKLMNPRST') for _ in range(4))}US33"


def social_security(subject: Subject) -> str:
    """Return a number of the range 9xx, in which no social security number is issued."""
    source = subject.random()
    return f"9{source.randrange(100):02}-{source.randrange(1, 50):02}-{source.randrange(1, 10_000):04}"


def uuid(subject: Subject) -> str:
    """Return a UUID of version 4."""
    return str(uuids.UUID(int=subject.random().getrandbits(128), version=4))


def uuid_of(version: int) -> Callable[[Subject], str]:
    """Return a maker of UUIDs of a version, 1 to 8, of which Python's uuid makes only some."""
    return lambda subject: f"{uuid(subject)[:14]}{version}{uuid(subject)[15:]}"


def base64(subject: Subject) -> str:
    """Return a short text in base64, without the characters in which its two alphabets differ."""
    return base64s.b64encode(short(subject).encode()).decode()


def ip_address(subject: Subject) -> str:
    """Return an address of a network that RFC 5737 reserves for documentation."""
    return f"203.0.113.{subject.random().randrange(1, 255)}"


def date(subject: Subject) -> str:
    """Return an ISO date; due and end dates are later than issue and start dates."""
    if not {"birth", "dob", "birthday"}.isdisjoint(subject.words):
        source = subject.random()
        return f"{source.randrange(1955, 2003)}-{source.randrange(1, 13):02}-{source.randrange(1, 29):02}"
    offset = next((days for days, names in OFFSETS if not names.isdisjoint(subject.words)), 0)
    return subject.day(offset).isoformat()


def time(subject: Subject) -> str:
    """Return a time of day such as 09:35; end times are later than start times."""
    return subject.clock(next((hour for word, hour in HOURS.items() if word in subject.words), MORNING))


def date_time(subject: Subject) -> str:
    """Return an ISO date and time in UTC."""
    return f"{date(subject)}T{time(subject)}:00Z"
