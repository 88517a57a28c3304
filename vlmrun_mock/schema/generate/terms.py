"""Names of fields in other languages, and names that stand for what encloses them, in the words that the rules know."""

from __future__ import annotations

from collections.abc import Mapping

TERMS: Mapping[str, str] = {
    # German
    "rechnungsdatum": "invoice date", "rechnungsnummer": "invoice number", "rechnungsnr": "invoice number",
    "faelligkeitsdatum": "due date", "fälligkeitsdatum": "due date", "lieferdatum": "delivery date",
    "geburtsdatum": "date of birth", "datum": "date", "plz": "zip", "postleitzahl": "zip", "ort": "city",
    "stadt": "city", "strasse": "street", "straße": "street", "hausnummer": "house number", "land": "country",
    "waehrung": "currency", "währung": "currency", "betrag": "amount", "gesamtbetrag": "total amount",
    "bruttobetrag": "gross amount", "nettobetrag": "net amount", "brutto": "gross", "netto": "net",
    "steuerbetrag": "tax amount", "steuersatz": "tax rate", "mwst": "tax", "menge": "quantity",
    "einzelpreis": "unit price", "gesamtpreis": "total price", "preis": "price", "beschreibung": "description",
    "bezeichnung": "item description", "lieferant": "supplier", "kunde": "customer", "firma": "company",
    "vorname": "first name", "nachname": "last name", "telefon": "phone", "kundennummer": "customer number",
    "bestellnummer": "order number", "anschrift": "address", "adresse": "address", "positionen": "items",
    "vollständiger_name": "full name", "vollstaendiger_name": "full name", "familienname": "last name",
    "kontonummer": "account number", "steuernummer": "tax id", "zahlungsziel": "payment terms",
    "benutzername": "username",
    # French
    "numero": "number", "numéro": "number", "facture": "invoice", "echeance": "due date", "échéance": "due date",
    "fournisseur": "supplier", "client": "client", "montant": "amount", "devise": "currency", "ville": "city",
    "rue": "street", "pays": "country", "prenom": "first name", "prénom": "first name", "nom": "name",
    "telephone": "phone", "téléphone": "phone", "quantite": "quantity",
    "quantité": "quantity", "prix": "price", "prix_unitaire": "unit price", "montant_ht": "subtotal",
    "montant_tva": "vat amount", "montant_ttc": "total amount", "montant_total": "total amount",
    "tva": "vat", "naissance": "birth", "courriel": "email",
    "emission": "issue", "émission": "issue", "designation": "item description", "entreprise": "company",
    "nom_complet": "full name", "nom_de_famille": "last name", "utilisateur": "username",
    # Spanish
    "fecha": "date", "factura": "invoice", "vencimiento": "due", "proveedor": "supplier", "cliente": "customer",
    "importe": "amount", "moneda": "currency", "ciudad": "city", "calle": "street", "pais": "country",
    "país": "country", "nombre": "name", "apellido": "last name", "apellidos": "last name", "telefono": "phone",
    "teléfono": "phone", "direccion": "address", "dirección": "address", "cantidad": "quantity", "precio": "price",
    "iva": "vat", "nacimiento": "birth", "correo": "email", "emisión": "issue", "descripcion": "description",
    "descripción": "description", "empresa": "company", "impuesto": "tax", "noches": "nights",
    "base_imponible": "subtotal", "importe_total": "total amount", "precio_unitario": "unit price",
    "nombre_completo": "full name", "nombres": "first name", "primer_apellido": "last name", "usuario": "username",
    # Italian
    "fattura": "invoice", "scadenza": "due", "emissione": "issue", "importo": "amount", "totale": "total",
    "imponibile": "subtotal", "imposta": "tax", "valuta": "currency", "fornitore": "supplier", "cognome": "last name",
    "nome": "name", "indirizzo": "address", "citta": "city", "città": "city", "paese": "country",
    "nascita": "birth", "quantita": "quantity", "quantità": "quantity", "prezzo": "price",
    "unitario": "unit", "descrizione": "description", "azienda": "company", "notti": "nights",
    "data_scadenza": "due date", "data_di_scadenza": "due date", "data_fattura": "invoice date",
    "data_emissione": "issue date", "data_di_nascita": "date of birth", "data_nascita": "date of birth",
    "numero_fattura": "invoice number", "importo_iva": "vat amount", "importo_totale": "total amount",
    "partita_iva": "vat id", "ragione_sociale": "company", "codice_fiscale": "tax id", "prezzo_unitario": "unit price",
    "nome_completo": "full name",
    # Dutch
    "factuurnummer": "invoice number", "factuurdatum": "invoice date", "factuur": "invoice",
    "vervaldatum": "due date", "bedrag": "amount", "totaalbedrag": "total amount", "totaal": "total",
    "subtotaal": "subtotal", "btw": "vat", "leverancier": "supplier", "klant": "customer",
    "klantnummer": "customer number", "bestelnummer": "order number", "voornaam": "first name",
    "achternaam": "last name", "naam": "name", "straat": "street", "huisnummer": "house number", "postcode": "zip",
    "plaats": "city", "stad": "city", "adres": "address", "telefoon": "phone", "telefoonnummer": "phone number",
    "geboortedatum": "date of birth", "hoeveelheid": "quantity", "aantal": "quantity", "prijs": "price",
    "stukprijs": "unit price", "omschrijving": "item description", "bedrijf": "company", "leverdatum": "delivery date",
    "rekeningnummer": "account number", "nachten": "nights",
    "volledige_naam": "full name", "familienaam": "last name", "gebruikersnaam": "username",
    # Portuguese
    "fatura": "invoice", "vencimento": "due", "emissao": "issue", "emissão": "issue", "valor": "amount",
    "moeda": "currency", "fornecedor": "supplier", "sobrenome": "last name", "rua": "street", "endereco": "address",
    "endereço": "address", "cidade": "city", "estado": "state", "cep": "zip", "telefone": "phone",
    "nascimento": "birth", "quantidade": "quantity", "preco": "price", "preço": "price", "descricao": "description",
    "descrição": "description", "imposto": "tax", "valor_total": "total amount", "valor_unitario": "unit price",
    "data_vencimento": "due date", "data_de_vencimento": "due date", "data_emissao": "issue date",
    "data_de_emissao": "issue date", "data_nascimento": "date of birth", "data_de_nascimento": "date of birth",
    "numero_fatura": "invoice number", "numero_da_fatura": "invoice number", "valor_imposto": "tax amount",
    "preco_unitario": "unit price", "preço_unitário": "unit price", "nota_fiscal": "invoice", "noites": "nights",
    # Japanese
    "姓": "last name", "名": "first name", "氏名": "full name", "名前": "full name", "会社名": "company",
    "住所": "address", "郵便番号": "zip", "都道府県": "state", "市区町村": "city", "国": "country", "電話番号": "phone",
    "電話": "phone", "メール": "email", "メールアドレス": "email", "生年月日": "date of birth", "日付": "date",
    "発行日": "issue date", "請求日": "invoice date", "請求書番号": "invoice number", "支払期限": "due date",
    "取引先": "supplier", "顧客": "customer", "明細": "items", "品名": "item description", "数量": "quantity",
    "単価": "unit price", "金額": "amount", "小計": "subtotal", "消費税": "tax", "合計": "total", "通貨": "currency",
}  # fmt: skip  # several a line
"""Words for fields, and names of several, in seven languages, by what they mean in English."""

ENCLOSED = {("value",), ("raw",), ("raw", "value"), ("raw", "text"), ("extracted", "value"), ("normalized", "value")}
ENCLOSED |= {("original", "value"), ("parsed", "value"), ("val",), ("content",), ("text",)}
"""Names that mean what encloses them, as `value` in `{value, confidence}` does."""

NOTHING = {
    "error", "errors", "warning", "warnings", "missing", "fraudulent", "fraud", "duplicate", "rejection", "rejected",
    "suspicious", "tampered", "blurry", "void", "voided", "expired", "failed", "failure", "failures", "problem",
    "problems", "redacted", "illegible", "ambiguous", "ambiguities", "discrepancies", "anomalies", "issues",
    "overdue", "cancelled", "canceled",
}  # fmt: skip  # several a line
"""Words of fields that are empty or false in a good answer."""
