"""The kinds of secrets that give themselves away by their looks: one row a kind.

What each vendor's keys look like is told in the vendor's own documentation. Every pattern takes time linear in the
text: each repetition is bounded, or cannot begin again inside what it has passed.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

HEX = "0123456789abcdef"


class SecretKind(msgspec.Struct, frozen=True):
    """A kind of secret: its name, its pattern, an example that is nobody's, and its marks.

    One of the `marks` stands in every text in which the pattern finds something, so that most texts are never searched
    for it; in small letters where the pattern takes capitals and small letters alike.
    """

    name: str
    text: str
    example: str
    marks: tuple[str, ...]
    folds: bool = False
    """Whether capitals and small letters are alike."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern, compiled when a text has one of the marks: a hundred of them take as long as a start."""
        return _compiled(self.text, self.folds)


@cache  # as many as there are rows
def _compiled(text: str, folds: bool) -> re.Pattern[str]:  # noqa: FBT001 - a row's own field
    return re.compile(text, re.ASCII | (re.IGNORECASE if folds else 0))


def _kind(name: str, pattern: str, example: str, *marks: str, folds: bool = False) -> SecretKind:
    return SecretKind(name, pattern, example, marks, folds)


def _named(name: str, words: str, value: str, example: str, *marks: str) -> SecretKind:
    """Return a kind whose value looks like much else, and is known by the name before it, as in a file of settings."""
    pattern = rf"(?:{words})[\w-]{{0,30}}[\"']?\s{{0,3}}(?:=>?|:)\s{{0,3}}[\"']?(?:{value})(?![\w/+-])"
    return _kind(name, pattern, example, *marks, folds=True)


B, E = r"(?<![A-Za-z0-9_-])", r"(?![A-Za-z0-9_-])"
"""Where a key begins and ends: not within a word."""

ROWS: tuple[SecretKind, ...] = (
    _kind(
        "a bearer token",
        r"\bBearer\s{1,20}(?=[^\s\"]{0,200}\d)[\w.~+/-]{16,}=*",
        "Authorization: Bearer abcdef0123456789abcdef",
        "bearer",
        folds=True,
    ),
    _kind(
        "a password",
        r"\bBasic\s{1,20}(?=[^\s\"]{0,200}[\d=])[A-Za-z0-9+/]{12,}=*",
        "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==",
        "Basic",
    ),
    _kind(
        "a JSON Web Token",
        r"\beyJ[\w-]{8,1000}\.eyJ[\w-]{8,8000}\.[\w-]{8,}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "eyJ",
    ),
    _kind("an Anthropic key", rf"{B}sk-ant-[\w-]{{20,}}", "sk-ant-api03-" + "aB3-" * 20, "sk-ant-"),
    _kind("an OpenRouter key", rf"{B}sk-or-v1-[0-9a-f]{{32,}}", "sk-or-v1-" + HEX * 4, "sk-or-v1-"),
    _kind(
        "an OpenAI key",
        rf"{B}sk-(?:proj|svcacct|admin|None)-(?=[\w-]{{0,200}}\d)[\w-]{{16,}}",
        "use sk-proj-abcdefghij0123456789 for it",
        "sk-proj-",
        "sk-svcacct-",
        "sk-admin-",
        "sk-None-",
    ),
    _kind(
        "a Stripe key",
        rf"{B}(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{{10,}}",
        "sk_test_" + "4eC39HqLyjWDarjt",
        "_live_",
        "_test_",
    ),
    _kind(
        "an API key",
        rf"{B}(?:sk|pk|rk|vlm|vlmrun)[-_](?!ant-|or-v1-|(?:proj|svcacct|admin|None)-|(?:live|test)_)"
        r"(?=[\w-]{0,200}\d)[\w-]{16,}",
        "vlm-abcdefghij0123456789",
        "sk-",
        "sk_",
        "pk-",
        "pk_",
        "rk-",
        "rk_",
        "vlm-",
        "vlm_",
        "vlmrun-",
        "vlmrun_",
    ),
    _kind("a webhook's secret", rf"{B}whsec_[A-Za-z0-9+/]{{16,}}=*", "whsec_" + "MfKQ9r8GKYqrTwjU" * 2, "whsec_"),
    _kind(
        "a GitHub token",
        rf"{B}(?:gh[pousr]_[A-Za-z0-9]{{36,}}|github_pat_\w{{22,}})",
        "ghp_" + "a1" * 18,
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
    ),
    _kind(
        "a GitLab token",
        rf"{B}gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas|ffct)-[\w-]{{20,}}",
        "glpat-abcdefghij0123456789",
        "glpat-",
        "glptt-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glft-",
        "glsoat-",
        "glagent-",
        "glimt-",
        "gloas-",
        "glffct-",
    ),
    _kind("a Bitbucket password", rf"{B}ATBB[A-Za-z0-9]{{24,}}=?", "ATBB" + "x7Kq" * 7, "ATBB"),
    _kind("an Atlassian token", rf"{B}AT(?:AT|CT)T3xFf[\w=-]{{40,}}", "ATATT3xFfGF0" + "aB3_" * 40, "T3xFf"),
    _kind("a Slack token", rf"{B}xox[abceoprs](?:-|\.xox)[A-Za-z0-9-]{{10,}}", "xoxb-1234567890-abcdef", "xox"),
    _kind("a Slack app token", rf"{B}xapp-\d-[A-Za-z0-9-]{{20,}}", "xapp-1-A0123456789-0123456789-" + HEX, "xapp-"),
    _kind(
        "a Slack webhook",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/-]{16,}",
        "https://hooks.slack.com/services/T00000000/B00000000/" + "x7Kq" * 6,
        "hooks.slack",
    ),
    _kind(
        "a Discord webhook",
        r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{15,25}/[\w-]{20,}",
        "https://discord.com/api/webhooks/123456789012345678/" + "aB3_" * 17,
        "/webhooks/",
    ),
    _named(
        "a Discord bot token",
        r"discord|bot[_-]?token",
        r"[MNO][A-Za-z\d]{23,27}\.[\w-]{6}\.[\w-]{27,40}",
        "DISCORD_TOKEN=MTk4NjIyNDgzNDcxOTI1MjQ4" + ".Cl2FMQ." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs",
        "discord",
        "bot_token",
        "bot-token",
        "bottoken",
    ),
    _kind(
        "a Teams webhook",
        r"\.webhook\.office\.com/webhookb2/[\w@/-]{40,}",
        "https://acme.webhook.office.com/webhookb2/" + "0a1b2c3d-" * 8,
        ".webhook.office.com",
    ),
    _kind(
        "a Hugging Face token",
        rf"{B}(?:hf_[A-Za-z0-9]{{30,}}|api_org_[A-Za-z0-9]{{30,}})",
        "hf_" + "aB3" * 11,
        "hf_",
        "api_org_",
    ),
    _kind("a Google API key", rf"{B}AIza[\w-]{{35}}", "AIza" + "Sy1" * 11 + "ab", "AIza"),
    _kind("a Google OAuth secret", rf"{B}GOCSPX-[\w-]{{20,}}", "GOCSPX-" + "aB3_" * 7, "GOCSPX-"),
    _kind("a Google OAuth token", rf"{B}ya29\.[\w-]{{30,}}", "ya29." + "aB3_" * 20, "ya29."),
    _kind("a Google refresh token", r"(?<![\w/])1//0[\w-]{30,}", "1//0" + "aB3_" * 20, "1//0"),
    _kind(
        "an AWS access key",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA",
        "ASIA",
        "ABIA",
        "ACCA",
    ),
    _named(
        "an AWS secret key",
        r"aws[_-]?secret|secret[_-]?access[_-]?key|SecretAccessKey",
        r"[A-Za-z0-9/+]{40}",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret",
        "aws-secret",
        "awssecret",
        "secret_access",
        "secret-access",
        "secretaccess",
    ),
    _kind("an AWS Bedrock key", rf"{B}ABSK[A-Za-z0-9+/]{{80,}}=*", "ABSK" + "QmVkcm9ja0FQSUtl" * 6, "ABSK"),
    _kind(
        "an Azure account key",
        r"\b(?:AccountKey|SharedAccessKey)\s{0,3}=\s{0,3}[A-Za-z0-9+/]{40,}=*",
        "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=" + "aB3/" * 21 + "aB==",
        "accountkey",
        "sharedaccesskey",
        folds=True,
    ),
    _kind("an Azure client secret", rf"{B}[\w.~-]{{3}}\dQ~[\w.~-]{{31,34}}{E}", "abc8Q~" + "aB3_" * 8 + "ab", "Q~"),
    _kind(
        "a DigitalOcean token", rf"{B}do[opr]_v1_[0-9a-f]{{64}}", "dop_v1_" + HEX * 4, "dop_v1_", "doo_v1_", "dor_v1_"
    ),
    _kind("a Databricks token", rf"{B}dapi[0-9a-f]{{32}}(?:-\d)?{E}", "dapi" + HEX * 2, "dapi"),
    _kind("a Heroku token", rf"{B}HRKU-[\w-]{{30,}}", "HRKU-" + "AAB3_c4-" * 7, "HRKU-"),
    _named(
        "a Heroku key",
        r"heroku",
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "HEROKU_API_KEY=01234567-89ab-cdef-0123-456789abcdef",
        "heroku",
    ),
    _kind("an npm token", rf"{B}npm_[A-Za-z0-9]{{36}}", "npm_" + "a1B2" * 9, "npm_"),
    _kind(
        "an npm password",
        r":_(?:authToken|auth|password)\s{0,3}=\s{0,3}[^\s$]{8,}",
        "//registry.npmjs.org/:_authToken=" + HEX,
        ":_auth",
        ":_password",
    ),
    _kind("a PyPI token", rf"{B}pypi-[\w-]{{50,}}", "pypi-AgEIcHlwaS5vcmc" + "aB3_" * 15, "pypi-"),
    _kind("a RubyGems key", rf"{B}rubygems_[0-9a-f]{{48}}", "rubygems_" + HEX * 3, "rubygems_"),
    _kind("a crates.io token", rf"{B}(?<![/+])cio[A-Za-z0-9]{{32}}(?![/+=]){E}", "cio" + "aB3d" * 8, "cio"),
    _kind("a NuGet key", rf"{B}(?<![/+])oy2[a-z0-9]{{43}}(?![/+=]){E}", "oy2" + "a1b2" * 10 + "a1b", "oy2"),
    _kind("a Docker token", rf"{B}dckr_(?:pat|oat)_[\w-]{{20,}}", "dckr_pat_" + "aB3_" * 7, "dckr_"),
    _kind(
        "a SendGrid key",
        rf"{B}SG\.[\w-]{{16,32}}\.[\w-]{{30,}}",
        "SG." + "aB3_" * 5 + "ab." + "aB3_" * 10 + "abc",
        "SG.",
    ),
    _kind("a Mailgun key", rf"{B}key-[0-9a-f]{{32}}{E}", "key-" + HEX * 2, "key-"),
    _named(
        "a named Mailgun key",
        r"mailgun",
        r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}",
        "MAILGUN_API_KEY=" + HEX * 2 + "-01234567-89abcdef",
        "mailgun",
    ),
    _kind("a Mailchimp key", rf"{B}[0-9a-f]{{32}}-us\d{{1,2}}{E}", HEX * 2 + "-us12", "-us"),
    _kind(
        "a Brevo key",
        rf"{B}xkeysib-[0-9a-f]{{64}}-[A-Za-z0-9]{{16}}",
        "xkeysib-" + HEX * 4 + "-aB3daB3daB3daB3d",
        "xkeysib-",
    ),
    _kind(
        "a Postman key",
        rf"{B}PMAK-[0-9a-f]{{24}}-[0-9a-f]{{34}}",
        "PMAK-" + HEX + HEX[:8] + "-" + HEX * 2 + "01",
        "PMAK-",
    ),
    _kind("a Resend key", rf"{B}re_[A-Za-z0-9]{{6,12}}_[A-Za-z0-9]{{20,}}", "re_aB3daB3d_" + "aB3d" * 6, "re_"),
    _kind("a Twilio key", rf"{B}(?:SK|AC)[0-9a-f]{{32}}{E}", "SK" + HEX * 2, "SK", "AC"),
    _kind(
        "a Shopify token",
        rf"{B}shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}",
        "shpat_" + HEX * 2,
        "shpat_",
        "shpca_",
        "shppa_",
        "shpss_",
    ),
    _kind(
        "a Square token",
        rf"{B}(?:sq0(?:atp|csp)-[\w-]{{22,}}|EAAA[El][\w-]{{59}}{E})",
        "sq0atp-" + "aB3_" * 5 + "ab",
        "sq0",
        "EAAA",
    ),
    _kind(
        "a PayPal token",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        "access_token$production$a1b2c3d4e5f6a7b8$" + HEX * 2,
        "access_token$",
    ),
    _kind(
        "a Plaid token",
        rf"{B}access-(?:sandbox|development|production)-[0-9a-f-]{{36}}",
        "access-sandbox-01234567-89ab-cdef-0123-456789abcdef",
        "access-",
    ),
    _kind("a Telegram bot token", rf"{B}\d{{8,10}}:AA[\w-]{{33}}{E}", "123456789:AA" + "aB3_" * 8 + "a", ":AA"),
    _kind("a Facebook token", rf"{B}EAA[A-Z][A-Za-z0-9]{{90,}}", "EAAC" + "aB3d" * 30, "EAA"),
    _kind(
        "a Twitter token",
        rf"{B}A{{21}}(?=[\w%]{{0,100}}%)[\w%]{{40,}}",
        "AAAAAAAAAAAAAAAAAAAAA" + "MLheAB3%2F" * 8,
        "A" * 21,
    ),
    _kind("a LinkedIn secret", rf"{B}WPL_AP\d\.[\w.=+/-]{{16,}}", "WPL_AP1." + "aB3daB3daB3daB3d", "WPL_AP"),
    _kind(
        "a Notion token",
        rf"{B}(?:secret_[A-Za-z0-9]{{43}}|ntn_[A-Za-z0-9]{{40,}}){E}",
        "ntn_" + "aB3d" * 12,
        "secret_",
        "ntn_",
    ),
    _kind("an Airtable token", rf"{B}pat[A-Za-z0-9]{{14}}\.[0-9a-f]{{64}}", "pataB3daB3daB3daB." + HEX * 4, "pat"),
    _kind(
        "an Asana token",
        rf"{B}[12]/\d{{12,20}}(?:/\d{{12,20}})?:[0-9a-f]{{32}}{E}",
        "1/1234567890123456:" + HEX * 2,
        "1/",
        "2/",
    ),
    _kind("a Linear key", rf"{B}lin_(?:api|oauth)_[A-Za-z0-9]{{32,}}", "lin_api_" + "aB3d" * 10, "lin_"),
    _kind("a Figma token", rf"{B}fig[dou][rh]?_[\w-]{{36,}}", "figd_" + "aB3_" * 10, "fig"),
    _kind("a Dropbox token", rf"{B}sl\.[\w-]{{60,}}", "sl." + "aB3_" * 30, "sl."),
    _kind(
        "a Cloudflare key",
        rf"{B}v1\.0-[0-9a-f]{{24}}-[0-9a-f]{{100,}}",
        "v1.0-" + HEX + HEX[:8] + "-" + HEX * 9,
        "v1.0-",
    ),
    _named(
        "a Cloudflare token",
        r"cloudflare|CF_API",
        r"[\w-]{37,40}",
        "CLOUDFLARE_API_TOKEN=" + "aB3_" * 10,
        "cloudflare",
        "cf_api",
    ),
    _kind("a Fly.io token", rf"{B}fm[12][ar]?_[A-Za-z0-9+/=_-]{{40,}}", "fm2_" + "aB3d" * 20, "fm1", "fm2"),
    _kind("a Netlify token", rf"{B}nf[pcou]_[A-Za-z0-9]{{36}}", "nfp_" + "aB3d" * 9, "nfp_", "nfc_", "nfo_", "nfu_"),
    _kind(
        "a Vercel token",
        rf"{B}(?:vc[piakr]_[A-Za-z0-9]{{24,}}|vercel_blob_rw_\w{{20,}})",
        "vcp_" + "aB3d" * 14,
        "vc",
        "vercel_blob",
    ),
    _kind(
        "a Supabase key",
        rf"{B}(?:sbp_[0-9a-f]{{40}}|sb_secret_[\w-]{{20,}})",
        "sbp_" + HEX * 2 + HEX[:8],
        "sbp_",
        "sb_secret_",
    ),
    _kind(
        "a PlanetScale password", rf"{B}pscale_(?:tkn|pw|oauth)_[\w.=-]{{32,}}", "pscale_pw_" + "aB3_" * 11, "pscale_"
    ),
    _kind("a Pulumi token", rf"{B}pul-[0-9a-f]{{40}}", "pul-" + HEX * 2 + HEX[:8], "pul-"),
    _kind(
        "a Terraform token",
        rf"{B}[A-Za-z0-9]{{14}}\.atlasv1\.[\w=-]{{60,}}",
        "aB3daB3daB3daB" + ".atlasv1." + "aB3_" * 17,
        ".atlasv1.",
    ),
    _kind("a Vault token", rf"{B}hv[sbr]\.[\w-]{{24,}}", "hvs." + "aB3_" * 24, "hvs.", "hvb.", "hvr."),
    _kind("a Doppler token", rf"{B}dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{{40,}}", "dp.pt." + "aB3d" * 11, "dp."),
    _kind(
        "a 1Password token",
        rf"{B}(?:ops_eyJ[\w+/=-]{{50,}}|A3-[A-Z0-9]{{6}}-[A-Z0-9-]{{26,34}}{E})",
        "ops_eyJ" + "aB3d" * 20,
        "ops_eyJ",
        "A3-",
    ),
    _kind(
        "an age key", rf"{B}AGE-SECRET-KEY-1[A-Z0-9]{{58}}", "AGE-SECRET-KEY-1" + "QZ9P" * 14 + "QZ", "AGE-SECRET-KEY-"
    ),
    _kind("a Tailscale key", rf"{B}tskey-[a-z]{{2,12}}-[\w-]{{16,}}", "tskey-auth-" + "aB3d" * 8, "tskey-"),
    _kind("a Grafana token", rf"{B}gl(?:sa|c)_[\w+/=]{{32,}}", "glsa_" + "aB3d" * 8 + "_01234567", "glsa_", "glc_"),
    _kind(
        "a New Relic key",
        rf"{B}(?:NRAK-[A-Z0-9]{{27}}|NRII-[\w-]{{32}}|NRJS-[0-9a-f]{{19}})",
        "NRAK-" + "AB3D" * 6 + "AB3",
        "NRAK-",
        "NRII-",
        "NRJS-",
    ),
    _kind("a Sentry token", rf"{B}sntry[su]_[\w+/=]{{40,}}", "sntrys_" + "aB3d" * 20, "sntrys_", "sntryu_"),
    _kind(
        "a Dynatrace token",
        rf"{B}dt0[a-z]\d\d\.[A-Z0-9]{{24}}\.[A-Z0-9]{{64}}",
        "dt0c01." + "AB3D" * 6 + "." + "AB3D" * 16,
        "dt0",
    ),
    _named(
        "a Datadog key",
        r"datadog|DD_(?:API|APP)",
        r"[0-9a-f]{32}|[0-9a-f]{40}",
        "DD_API_KEY=" + HEX * 2,
        "datadog",
        "dd_api",
        "dd_app",
    ),
    _kind("a PostHog key", rf"{B}ph[cx]_[A-Za-z0-9]{{40,}}", "phx_" + "aB3d" * 11, "phc_", "phx_"),
    _kind(
        "a LaunchDarkly key",
        rf"{B}(?:api|sdk|mob)-[0-9a-f]{{8}}-[0-9a-f]{{4}}-4[0-9a-f]{{3}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}{E}",
        "sdk-01234567-89ab-4def-8123-456789abcdef",
        "api-",
        "sdk-",
        "mob-",
    ),
    _kind("a Groq key", rf"{B}gsk_[A-Za-z0-9]{{40,}}", "gsk_" + "aB3d" * 13, "gsk_"),
    _kind("an xAI key", rf"{B}xai-[A-Za-z0-9]{{60,}}", "xai-" + "aB3d" * 20, "xai-"),
    _kind("a Perplexity key", rf"{B}pplx-[A-Za-z0-9]{{40,}}", "pplx-" + "aB3d" * 12, "pplx-"),
    _kind("a Replicate token", rf"{B}r8_[A-Za-z0-9]{{37}}", "r8_" + "aB3d" * 9 + "a", "r8_"),
    _kind("an NVIDIA key", rf"{B}nvapi-[\w-]{{60,}}", "nvapi-" + "aB3_" * 16, "nvapi-"),
    _kind("a Fireworks key", rf"{B}fw_[A-Za-z0-9]{{22,}}{E}", "fw_" + "aB3d" * 6, "fw_"),
    _kind("a LangSmith key", rf"{B}lsv2_(?:pt|sk)_[0-9a-f]{{32}}\w*", "lsv2_pt_" + HEX * 2 + "_0123456789", "lsv2_"),
    _kind("a Pinecone key", rf"{B}pcsk_\w{{40,}}", "pcsk_" + "aB3d" * 17, "pcsk_"),
    _kind("a Tavily key", rf"{B}tvly-(?:dev-|prod-)?[A-Za-z0-9]{{28,}}", "tvly-dev-" + "aB3d" * 8, "tvly-"),
    _kind(
        "an Algolia key",
        r"\b(?:x-algolia-api-key|algolia[_-]?(?:api|admin)[_-]?key)[\"']?\s{0,3}[=:]\s{0,3}[\"']?[0-9a-f]{32}",
        "X-Algolia-API-Key: " + HEX * 2,
        "algolia",
        folds=True,
    ),
    _kind(
        "a private key",
        r"-----BEGIN (?:[A-Z]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]{0,20000}-----END (?:[A-Z]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----)?",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "PRIVATE KEY",
    ),
    _kind(
        "a PuTTY key",
        r"\bPuTTY-User-Key-File-\d:(?s:.{0,20000})",
        "PuTTY-User-Key-File-3: ssh-ed25519",
        "PuTTY-User-Key-File-",
    ),
    _kind(
        "an account's two-factor secret",
        r"otpauth://(?:totp|hotp)/[^\s\"]{0,500}?secret=[A-Z2-7]{16,}",
        "otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXP&issuer=Acme",
        "otpauth://",
        folds=True,
    ),
    _kind(
        "a signed URL",
        r"(?<=[?&])(?:X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-(?:Signature|Credential)|Signature|AWSAccessKeyId|sig"
        r"|access_token|auth_token|refresh_token|id_token|client_secret|secret|password|passwd|api[_-]?key|subscription-key"
        r"|sas_?token|x-api-key)=[^&\s\"#]{8,}"
        r"|(?<=[?&])(?:key|token|auth|code|jwt|session)=(?=[^&\s\"#]{0,200}\d)[^&\s\"#]{16,}",
        "https://bucket.s3.amazonaws.com/a.png?X-Amz-Date=1&X-Amz-Signature=0123456789abcdef",
        *("signature=", "credential=", "token=", "accesskeyid=", "sig=", "secret=", "password=", "passwd=", "key="),
        *("auth=", "code=", "jwt=", "session="),
        folds=True,
    ),
    _kind(
        "a password in a URL",
        r"(?<=://)[^/\s:@\"]{0,200}:[^/\s@\"]{1,500}(?=@)",
        "https://alice:wonderland@example.com/a.png",
        "://",
    ),
    _kind(
        "a password in a connection string",
        r"(?<=;)\s?(?:Password|Pwd)\s?=\s?[^;\s\"]{6,200}",
        "Server=tcp:acme.database.windows.net;User Id=alice;Password=wonderland",
        "password",
        "pwd",
        folds=True,
    ),
    _kind(
        "a named secret",
        r"(?<![A-Za-z0-9])(?:api|auth|access|secret|private|client|app)[_-](?:key|token|secret|password)[\"']?\s{0,3}[=:]\s{0,3}[\"']?"
        r"(?=[\w.~+/-]{0,100}\d)(?=[\w.~+/-]{0,100}[A-Za-z])[\w.~+/-]{16,}=*",
        "API_KEY=a1b2c3d4e5f6a7b8c9d0",
        "key",
        "token",
        "secret",
        "password",
        folds=True,
    ),
)
"""All kinds. Where two find the same, the first one names it."""

_PLAIN = tuple((mark, kind) for kind in ROWS if not kind.folds for mark in kind.marks)
_FOLDING = tuple((mark, kind) for kind in ROWS if kind.folds for mark in kind.marks)


def found_in(text: str) -> tuple[SecretKind, ...]:
    """Return the kinds of which something stands in a text, in the order of the table: of most texts none."""
    small = text.lower()
    marked = {kind.name for mark, kind in _PLAIN if mark in text}
    marked |= {kind.name for mark, kind in _FOLDING if mark in small}
    return tuple(kind for kind in ROWS if kind.name in marked and kind.pattern.search(text)) if marked else ()
