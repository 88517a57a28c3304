"""Suggesting a value from a field's name: a table of texts, a table of numbers, and the look-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from vlmrun_mock.schema.generate import phrases
from vlmrun_mock.schema.generate.words import words_of

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.world import Subject

Made = TypeVar("Made")
CENT = Fraction(1, 100)
THOUSANDTH = Fraction(1, 1000)

COMPANIES = "vendor supplier seller company employer merchant store business organization organisation carrier shipper"
COMPANIES += " consignee issuer payer payee insurer manufacturer brand shop retailer agency provider restaurant hotel"
COMPANIES += " lender landlord school university college institution remitter contractor"
PRODUCTS = "item product line article goods sku material part"
PEOPLE = "person employee contact patient driver author signer student applicant tenant member owner holder agent user"
PEOPLE += " customer candidate passenger guest doctor physician manager player witness dependent nominee"


@dataclass(frozen=True, slots=True)
class Rule(Generic[Made]):
    """Suits names that end in one of `tails`, after or inside of one of `within` if there are any."""

    tails: str  # separated by "|"
    make: Callable[[Subject], Made]
    within: str = ""


Rules: TypeAlias = dict[str, list[tuple[tuple[str, ...], Rule[Made]]]]
"""The rules with the words of their tails, by the last of these words."""

TEXTS: list[Rule[str]] = [
    Rule("first name|given name|given names|forename|forenames|first names", lambda subject: subject.person().first),
    Rule("last name|surname|family name", lambda subject: subject.person().last),
    Rule("middle name", lambda subject: subject.random().choice("ABCDEFGHJKLMPRST")),
    Rule("full name|fullname", lambda subject: subject.person().name),
    Rule("user name|username|handle|login", phrases.user_name),
    Rule("file name|filename|file", phrases.file_name),
    Rule("company|employer|vendor|supplier|merchant|seller|manufacturer|carrier", lambda s: s.company()),
    Rule("legal name|trade name", lambda subject: subject.company()),
    Rule("bank|bank name", phrases.bank),
    Rule("name", phrases.bank, "bank branch"),
    Rule("name", lambda subject: subject.company(), COMPANIES),
    Rule("name", phrases.product, PRODUCTS),
    Rule("name|names", lambda subject: subject.person().name, PEOPLE),
    Rule("name", lambda subject: subject.locality().city, "city town"),
    Rule("name", phrases.project, "project plan event team course"),
    Rule("name", phrases.skill, "skill language"),
    Rule("name", phrases.vessel, "vessel ship boat"),
    Rule("name", phrases.test, "test lab analysis panel procedure"),
    Rule("name", phrases.dish, "dish menu meal recipe food"),
    Rule("name", phrases.certification, "certification certificate course award qualification"),
    Rule("vessel|ship", phrases.vessel),
    Rule("dish", phrases.dish),
    Rule("name", lambda subject: f"{subject.words[0].title()} tax" if subject.role else "Sales tax", "tax"),
    Rule("name", lambda subject: subject.person().name),
    Rule("insurance provider|insurance company|insurer|insurer name|insurance provider name|insurance company name|"
         "payer|payer name|insurance carrier|payer company", phrases.insurer),
    Rule("cashier|cashier name|waiter|technician|inspector", lambda subject: subject.person().name),
    Rule("medication|medications|medication name|drug|drug name|medicine|medicine name", phrases.medication),
    Rule("name", phrases.medication, "medication drug medicine prescription"),
    Rule("dosage|dose", phrases.one_of("500 mg twice daily", "10 mg once daily", "1 tablet every 8 hours")),
    Rule("diagnosis|diagnoses|diagnosis name", phrases.diagnosis),
    Rule("icd10|icd|icd code|icd10 code|diagnosis code", phrases.icd),
    Rule("blood pressure", phrases.blood_pressure),
    Rule("npi|npi number|provider npi|national provider identifier", phrases.npi),
    Rule("mrn|mrn number|medical record number|medical record no", phrases.numbered("MRN")),
    Rule("vin|vin number|vehicle identification number", phrases.vehicle_number),
    Rule("make", lambda subject: phrases.vehicle(subject)[0]),
    Rule("model", phrases.sku, f"{PRODUCTS} device printer equipment"),
    Rule("model", lambda subject: phrases.vehicle(subject)[1]),
    Rule("license plate|licence plate|plate|plate number|license plate number|plate no", phrases.plate),
    Rule("fuel|fuel type", phrases.one_of("gasoline", "diesel", "electric")),
    Rule("customer|client|buyer|patient|employee|author|contact|signature|signed by|recipient|person|owner|tenant|"
         "prepared by|approved by|created by|account holder|cardholder|contact person|manager|driver|landlord",
         lambda subject: subject.person().name),
    Rule("product|item|article", phrases.product),
    Rule("brand", lambda subject: subject.company().split(" ")[0]),
    Rule("email|mail|email address|e mail", lambda subject: f"office@{subject.company_host()}", COMPANIES),
    Rule("email|mail|email address|e mail", phrases.email),
    Rule("phone|telephone|mobile|fax|tel|phone number|telephone number|fax number|mobile number|cell", phrases.phone),
    Rule("linkedin|linkedin url|linkedin profile|linkedin link", phrases.profile("linkedin")),
    Rule("github|github url|github profile|github link", phrases.profile("github")),
    Rule("url|website|web site|site|link|homepage|uri|dsn", phrases.uri),
    Rule("domain|host|hostname", lambda subject: subject.company_host()),
    Rule("ip address|ip|ipv4|ip addr", phrases.ip_address),
    Rule("street|street address|address line 1|address line|line 1|address 1|street line", phrases.street),
    Rule("dimensions unit|dimension unit|length unit|size unit", lambda _: "cm"),
    Rule("weight unit|mass unit", lambda _: "kg"),
    Rule("unit", lambda _: "cm", "dimension dimensions"),
    Rule("address line 2|line 2|line2|address 2|address2|unit|suite|apartment",
         lambda subject: f"Suite {subject.random().randrange(100, 900)}"),
    Rule("address|location|premises", phrases.address),
    Rule("city|town|locality", lambda subject: subject.locality().city),
    Rule("place of birth|birth place|birthplace|birth city|city of birth", lambda subject: subject.locality().city),
    Rule("state name|governing law|jurisdiction", lambda subject: subject.locality().state),
    Rule("state|province|region|state code", lambda subject: subject.locality().state_code),
    Rule("zip|zip code|zipcode|postal code|postcode|postal", lambda subject: subject.locality().zip_code),
    Rule("county", lambda subject: f"{subject.locality().city} County"),
    Rule("country", lambda subject: subject.country.name),
    Rule("country code|nationality code", lambda subject: subject.country.code),
    Rule("nationality|citizenship", lambda subject: subject.country.nationality),
    Rule("currency|currency code|currency iso|iso currency code", lambda subject: subject.country.currency),
    Rule("currency symbol", lambda subject: subject.locale.sign),
    Rule("language|lang|locale|language code", lambda subject: subject.country.language),
    Rule("timezone|time zone|tz", lambda subject: subject.country.zone),
    Rule("iban|iban number", phrases.iban),
    Rule("swift|bic|swift code|swift number|bic code", phrases.bic),
    Rule("routing number|routing|aba", phrases.routing_number),
    Rule("account number|account no|account|account id|bank account", phrases.digits(10)),
    Rule("ssn|social security number|social security|social security no", phrases.social_security),
    Rule("vat id|vat number|vat|vat no", phrases.vat_id),
    Rule("ein|tax id|tax number|employer identification number|tax identification number", phrases.prefixed("00-", 7)),
    Rule("invoice id|invoice number|invoice no|invoice num|invoice", phrases.numbered("INV")),
    Rule("id|number|no|num|code|reference|ref", phrases.numbered("INV"), "invoice bill"),
    Rule("order id|order number|order no|po number|purchase order|purchase order number|po", phrases.numbered("PO")),
    Rule("id|number|no", phrases.numbered("PO"), "order purchase po"),
    Rule("receipt number|receipt id|receipt no|transaction id|transaction number", phrases.numbered("TR")),
    Rule("tracking number|tracking id|tracking", phrases.prefixed("1Z", 12)),
    Rule("claim number|claim id|claim no", phrases.numbered("CLM")),
    Rule("policy number|policy id|policy no", phrases.numbered("POL")),
    Rule("customer id|customer number|client id", phrases.numbered("C")),
    Rule("employee id|employee number", phrases.numbered("E")),
    Rule("license number|licence number|passport number|document number|card number last 4", phrases.digits(9)),
    Rule("last 4|last four|last4", phrases.digits(4)),
    Rule("card number|credit card number|credit card", lambda _: "4111 1111 1111 1111"),
    Rule("sku|part number|item number|item code|product code|product id|model number|upc", phrases.sku),
    Rule("uuid|guid", phrases.uuid),
    Rule("item description|line description", phrases.product),
    Rule("description|desc|details", phrases.product, PRODUCTS),
    Rule("description|details|desc|text|content|body|message|comment|caption|reason|explanation", phrases.sentence),
    Rule("notes|note|remarks|comments|memo|instructions|special instructions", phrases.note),
    Rule("summary|abstract|overview|conclusion", phrases.sentence),
    Rule("payment terms|terms|payment term", phrases.payment_terms),
    Rule("payment method|payment type|method of payment", phrases.one_of("credit card", "bank transfer", "check")),
    Rule("job title|position|occupation|job|profession|designation|role", phrases.job),
    Rule("title", phrases.job, "employee job experience employment position contact person signer"),
    Rule("title|subject|heading|headline|topic", phrases.title),
    Rule("department|division", phrases.one_of("Accounting", "Operations", "Sales", "Engineering")),
    Rule("status|state of order", phrases.one_of("paid", "open", "pending", "completed")),
    Rule("priority|severity|urgency", phrases.one_of("low", "medium", "high")),
    Rule("category|type|kind|class|group|genre", phrases.one_of("standard", "services", "travel")),
    Rule("gender|sex", lambda subject: subject.person().gender),
    Rule("marital status", phrases.one_of("single", "married")),
    Rule("color|colour|color name", phrases.color),
    Rule("size", phrases.one_of("S", "M", "L")),
    Rule("unit of measure|uom|units|measure", phrases.one_of("each", "box", "hour", "kg")),
    Rule("tag|tags|keyword|keywords|label|labels", phrases.one_of("office", "paper", "delivery", "monthly")),
    Rule("skill|skills|technology|technologies", phrases.skill),
    Rule("university|school|college|institution|institute", lambda s: f"{s.locality().city} State University"),
    Rule("degree", phrases.one_of("Bachelor of Science", "Master of Arts", "Bachelor of Arts")),
    Rule("confidence", phrases.one_of("hi", "med")),
    Rule("version", phrases.one_of("1.0", "1.2", "2.0")),
    Rule("mime type|content type|media type", lambda _: "application/pdf"),
    Rule("duration", lambda _: "45 minutes"),
    Rule("time|time of day", phrases.time),
    Rule("date|dob|birthday|due|day|birth|date of birth|expiry|deadline|from|until|issued|valid", phrases.date),
    Rule("date of issue|date of expiry|date of delivery|date of service|date of payment|issued on|paid on|due on|"
         "signed on|delivered on|shipped on|received on|ordered on|created on|expires on", phrases.date),
    Rule("start|end|begin|from|to", phrases.date, "period statement coverage term range billing validity policy lease"),
    Rule("gross amount|net amount|amount", phrases.amount),
    Rule("house number", lambda subject: str(subject.random().randrange(1, 180))),
    Rule("at|timestamp|datetime|date time", phrases.date_time),
    Rule("year", lambda subject: str(subject.day(0).year)),
    Rule("month", lambda subject: f"{subject.day(0):%B}"),
    Rule("id|identifier|key|reference|ref|code|number|no", phrases.plain_id),
]  # fmt: skip  # one rule a line


def _drawn(low: int, high: int, divisor: int | None = None) -> Callable[[Subject], float]:
    """Return a maker of whole numbers from `low` to below `high`, or of these divided by `divisor`."""

    def make(subject: Subject) -> float:
        number = subject.random().randrange(low, high)
        return number / divisor if divisor else number

    return make


def _priced(low: int, high: int) -> Callable[[Subject], float]:
    """Return a maker of amounts from `low` to below `high` cents of a dollar, in the currency of the locale."""

    def make(subject: Subject) -> float:
        cents = subject.random().randrange(low, high) * subject.country.scale
        return cents / 100 if subject.locale.places else round(cents / 100)

    return make


NUMBERS: list[Rule[float]] = [
    Rule("confidence|score|probability|likelihood|certainty", _drawn(720, 995, 1000)),
    Rule("tax rate|vat rate|tax percentage", phrases.tax_rate),
    Rule("discount rate|interest rate", lambda subject: subject.random().choice([0.05, 0.07, 0.0825])),
    Rule("percentage|percent|pct", _drawn(5, 96)),
    Rule("quantity|qty|count|pieces|packages|hours|number of items|units|guests|nights", _drawn(1, 9)),
    Rule("year|birth year|model year", lambda subject: subject.day(0).year),
    Rule("year built|built", _drawn(1920, 2016)),
    Rule("quarter", _drawn(1, 5)),
    Rule("bedrooms|bathrooms|floors|beds|baths", _drawn(1, 5)),
    Rule("zip|zip code|postal code|postcode", phrases.zip_as_number),
    Rule("phone|phone number|telephone", phrases.phone_as_number),
    Rule("month", lambda subject: subject.day(0).month),
    Rule("day", lambda subject: subject.day(0).day),
    Rule("age", _drawn(18, 91)),
    Rule("latitude|lat", lambda subject: subject.locality().latitude),
    Rule("longitude|lng|lon", lambda subject: subject.locality().longitude),
    Rule("page|page number|page no", lambda _: 1),
    Rule("page count|pages|total pages|number of pages", _drawn(1, 5)),
    Rule("bbox|xywh|bounding box|box|coordinate|coordinates", _drawn(50, 450, 1000)),
    Rule("x|y|left|top|width|height", _drawn(50, 450, 1000), "bbox bounding box xywh"),
    Rule("gpa|grade point average", _drawn(240, 400, 100)),
    Rule("years of experience|years experience|experience years", _drawn(2, 30)),
    Rule("heart rate|pulse|pulse rate|bpm", _drawn(58, 98)),
    Rule("temperature f|temp f|body temperature", _drawn(974, 994, 10)),
    Rule("temperature c|temp c", _drawn(364, 374, 10)),
    Rule("mileage|odometer|odometer reading", _drawn(12_000, 140_000)),
    Rule("rating|stars", _drawn(35, 50, 10)),
    Rule("salary|income|wages|revenue|gross pay|net pay", _priced(4_200_000, 9_800_000)),
    Rule("subtotal|sub total|total|grand total|balance|amount due", _priced(20_000, 240_000)),
    Rule("tax|vat|tax amount|tip|discount|shipping|fee", _priced(500, 4_000)),
    Rule("price|amount|cost|unit price|rate|charge|value|payment|fees|deposit|credit|debit", _priced(450, 18_000)),
    Rule("weight|mass", _drawn(5, 400, 10)),
    Rule("width|height|length|depth|distance|area|volume", _drawn(10, 900, 10)),
    Rule("duration|seconds|minutes|time", _drawn(5, 180)),
    Rule("id|number|no|code|index", _drawn(1000, 10_000)),
]  # fmt: skip  # one rule a line
FINE = {"confidence", "score", "probability", "likelihood", "certainty", "latitude", "longitude", "bbox", "xywh", "lat"}
FINE |= {"rate", "lng", "lon", "box", "coordinate"}


def suggested_text(subject: Subject) -> str | None:
    """Return a text that suits the field's name and what encloses it, or None."""
    text_rule = _look_up(TEXT_RULES, subject)
    if text_rule is not None:
        return text_rule.make(subject)
    if "date" in subject.words:
        return phrases.date(subject)
    number_rule = _look_up(NUMBER_RULES, subject)
    if number_rule is None:
        return None
    number = number_rule.make(subject)
    return phrases.decimal(subject, number) if isinstance(number, float) else str(number)


def suggested_number(subject: Subject, *, whole: bool) -> tuple[Fraction, Fraction]:
    """Return a number that suits the field's name, and the step between it and its neighbours."""
    rule = _look_up(NUMBER_RULES, subject)
    number = rule.make(subject) if rule is not None else _drawn(100, 10_000, 100)(subject)
    step = THOUSANDTH if not FINE.isdisjoint(subject.words[-1:]) else CENT
    if isinstance(number, int) and not subject.locale.places:
        step = Fraction(1)  # the next amount has no cents either
    return Fraction(str(round(number) if whole else number)), step


def _look_up(rules: Rules[Made], subject: Subject) -> Rule[Made] | None:
    """Return the rule with the longest tail; among equals the one with the nearest context, else one without."""
    words = subject.words
    fitting = [entry for entry in rules.get(words[-1], []) if words[-len(entry[0]) :] == entry[0]] if words else []
    for length in sorted({len(tail) for tail, _ in fitting}, reverse=True):
        subject.role = words[: len(words) - length]
        rule = _nearest([rule for tail, rule in fitting if len(tail) == length], subject)
        if rule is not None:
            return rule
    return None


def _nearest(rules: list[Rule[Made]], subject: Subject) -> Rule[Made] | None:
    for level in (subject.role, *subject.levels):
        for rule in rules:
            if not set(rule.within.split()).isdisjoint(level):
                return rule
    return next((rule for rule in rules if not rule.within), None)


def _by_last_word(rules: list[Rule[Made]]) -> Rules[Made]:
    table: Rules[Made] = {}
    for rule in rules:
        for tail in rule.tails.split("|"):
            words = tuple(words_of(tail))
            table.setdefault(words[-1], []).append((words, rule))
    return table


TEXT_RULES = _by_last_word(TEXTS)
NUMBER_RULES = _by_last_word(NUMBERS)
