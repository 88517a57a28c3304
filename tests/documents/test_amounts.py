"""Amounts of money are printed as a person would, and lose no digit."""

from __future__ import annotations

import pytest

from vlmrun_mock.documents import amounts


@pytest.mark.parametrize(
    ("value", "currency", "locale", "expected"),
    [
        (1441.66, "USD", "en_US", "$1,441.66"),
        (1441.6, "USD", "en_US", "$1,441.60"),
        (-3, "USD", "en_US", "-$3.00"),
        (0.0453, "USD", "en_US", "$0.0453"),
        (1234567.0, "GBP", "en_GB", "£1,234,567.00"),
        (1234567.5, "EUR", "de_DE", "1.234.567,50\xa0€"),
        (1441.66, "EUR", "fr_FR", "1\xa0441,66\xa0€"),
        (1441.66, "BRL", "pt_BR", "R$\xa01.441,66"),
        (1234567.0, "INR", "en_IN", "₹12,34,567.00"),
        (1441.0, "JPY", "ja_JP", "¥1,441"),
        (5.0, "CHF", "en_US", "CHF\xa05.00"),
        (1e16, "USD", "en_US", "$10,000,000,000,000,000.00"),
    ],
)
def test_an_amount_has_its_sign_its_groups_and_all_its_digits(
    value: float, currency: str, locale: str, expected: str
) -> None:
    assert amounts.signed(value, currency, locale) == expected


@pytest.mark.parametrize("name", ["total_amount", "unitPrice", "balance_due", "tax", "netPay", "monthly_service_fee"])
def test_a_number_is_an_amount_by_the_name_of_its_field(name: str) -> None:
    assert amounts.is_amount(name)


@pytest.mark.parametrize("name", ["tax_percentage", "quantity", "payment_due_day", "total_pages", "height", "tax_rate"])
def test_other_numbers_are_no_amounts(name: str) -> None:
    assert not amounts.is_amount(name)
