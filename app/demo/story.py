"""The story of the demo: who takes part, what they know, and whom they tell. All of it is invented.

The places are real towns; the organizations, people, numbers and addresses are not. Telephone numbers, domains and
wallets are made so that they belong to nobody.
"""

from typing import Any, Final

from app.demo.parts import Contribution, Profile, Relation

COUNCIL: Final = "council"
"""Stands in a handling's groups for the council, whose id is drawn when it is founded."""

MEMORANDUM: Final = "mou"
CHARTER: Final = "charter"
"""Stand in `legal_basis` for the agreements of these kinds, whose ids are drawn when they are drafted."""

CHAIR: Final = "KR-KNPA"

AGENCIES: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "KR-KNPA",
        "name": "Korean National Police Agency",
        "native_name": "경찰청",
        "kind": "national_police",
        "country": "KR",
        "languages": ["ko", "en"],
        "time_zone": "Asia/Seoul",
        "contact": {"phone": "+82 2 0000 0000", "email": "duty@knpa.example"},
    },
    {
        "code": "KH-CNP",
        "name": "Cambodian National Police",
        "native_name": "អគ្គស្នងការដ្ឋាននគរបាលជាតិ",
        "kind": "national_police",
        "country": "KH",
        "languages": ["km", "en"],
        "time_zone": "Asia/Phnom_Penh",
        "contact": {"phone": "+855 23 000 000", "email": "duty@cnp.example"},
    },
    {
        "code": "TH-RTP",
        "name": "Royal Thai Police",
        "native_name": "สำนักงานตำรวจแห่งชาติ",
        "kind": "national_police",
        "country": "TH",
        "languages": ["th", "en"],
        "time_zone": "Asia/Bangkok",
        "contact": {"phone": "+66 2 000 0000", "email": "duty@rtp.example"},
    },
    {
        "code": "INTERPOL",
        "name": "International Criminal Police Organization",
        "kind": "international_organization",
        "languages": ["en", "fr", "es", "ar"],
        "time_zone": "Europe/Paris",
        "contact": {"email": "duty@interpol.example"},
    },
    {
        "code": "ASEANAPOL",
        "name": "ASEAN Chiefs of National Police",
        "kind": "regional_organization",
        "languages": ["en"],
        "time_zone": "Asia/Kuala_Lumpur",
        "contact": {"email": "duty@aseanapol.example"},
    },
)

COUNCIL_CONTENT: Final[dict[str, Any]] = {
    "kind": "council",
    "name": "Council on Scam Compounds",
    "purpose": "Share what is known of the organizations behind the compounds, and act together.",
    "members": [
        {"agency": "KH-CNP"},
        {"agency": "TH-RTP"},
        {"agency": "INTERPOL"},
        {"agency": "ASEANAPOL", "role": "observer"},
    ],
}


PROFILES: Final = (
    Profile(
        "MOONRISE",
        "KR-KNPA",
        {
            "name": "Moonrise Bay Group",
            "aliases": [
                {"name": "달돋이만 조직", "language": "ko"},
                {"name": "ក្រុមឆ្នេរព្រះចន្ទរះ", "language": "km"},
                {"name": "MB Careers", "note": "As recruiter, on job boards."},
            ],
            "kind": "scam_compound_operator",
            "status": "active",
            "threat_level": "critical",
            "summary": "Runs a closed site on Bokor mountain. Recruits by false offers of work, takes passports, holds "
            "people until they are ransomed or sold on.",
            "modus_operandi": "Job offers for translators and call agents are posted from abroad. Who answers is "
            "flown in, driven to the site by night and made to call victims at home. Who fails the quota is sold to "
            "another site; families are asked for money in crypto-assets.",
            "estimated_members": 140,
            "founded_on": "2022",
            "nationalities": ["KR", "CN"],
            "activities": [
                {"type": "employment_scam", "since": "2023"},
                {"type": "kidnapping", "since": "2024-03"},
                {"type": "illegal_detention", "since": "2024-03"},
                {"type": "phone_scam", "since": "2023"},
                {"type": "forced_criminality"},
            ],
            "locations": [
                {
                    "name": "Hillside site",
                    "role": "compound",
                    "country": "KH",
                    "subdivision": "KH-7",
                    "address": "Above the old road, Bokor",
                    "coordinates": {"latitude": 10.63, "longitude": 104.03},
                    "from": "2024-06",
                },
                {"name": "Bay House", "role": "base", "country": "PH", "from": "2022", "to": "2024-05"},
            ],
            "relocations": [
                {"from": "PH", "to": "KH", "on": "2024-06", "reason": "Its licence to run games was withdrawn."}
            ],
            "identifiers": [
                {"type": "phone", "value": "+855 23 000 101", "first_seen": "2025-02", "last_seen": "2025-08"},
                {"type": "url", "value": "https://careers.moonrise.example/translator"},
                {"type": "messenger_account", "value": "@mb_careers_example"},
                {"type": "crypto_wallet", "value": "0x00000000000000000000000000000000000demo1"},
            ],
            "members": [
                {"name": "HAN Beispiel", "native_name": "한 보기", "role": "runs the site", "nationality": "KR"},
                {"name": "Uncle Ledger", "role": "keeps the accounts", "note": "Known by this name alone."},
            ],
            "grading": {"scheme": "admiralty", "source": "B", "information": "2"},
            "handling": {
                "tlp": "AMBER",
                "codes": ["H2"],
                "audience": {"groups": [COUNCIL], "observers_of": [COUNCIL]},
                "discoverable": "contact",
            },
        },
    ),
    Profile(
        "SEAGLASS",
        "KR-KNPA",
        {
            "name": "Seaglass Ring",
            "aliases": [
                {"name": "씨글라스", "language": "ko"},
                {"name": "海玻璃", "language": "zh", "note": "In chats."},
            ],
            "kind": "syndicate",
            "status": "active",
            "threat_level": "high",
            "summary": "Sells false shares and runs games from rented floors in Sihanoukville. Buys workers.",
            "estimated_members": 60,
            "nationalities": ["KR"],
            "activities": [
                {"type": "investment_scam", "since": "2023-11"},
                {"type": "online_gambling", "since": "2022"},
                {"type": "trafficking_in_persons", "note": "Buys people from other groups."},
            ],
            "locations": [
                {
                    "name": "Harbour View, 4th to 7th floor",
                    "role": "call_centre",
                    "country": "KH",
                    "subdivision": "KH-18",
                    "from": "2023-10",
                }
            ],
            "identifiers": [
                {"type": "domain", "value": "seaglass-invest.example"},
                {"type": "bank_account", "value": "DEMO 0000 4711", "note": "Account of a straw man."},
            ],
            "handling": {
                "tlp": "RED",
                "codes": ["H1", "H2"],
                "audience": {"agencies": ["KH-CNP"]},
                "legal_basis": MEMORANDUM,
            },
        },
    ),
    Profile(
        "LANTERN",
        "KR-KNPA",
        {
            "name": "Lantern Circle",
            "kind": "network",
            "status": "suspected",
            "threat_level": "medium",
            "summary": "Warns compounds before they are searched, for money. One of its people is said to serve in a "
            "border post.",
            "activities": [{"type": "corruption"}],
            "locations": [{"role": "transit_point", "country": "TH", "name": "Border market"}],
            "grading": {"scheme": "admiralty", "source": "C", "information": "3"},
            "handling": {
                "tlp": "AMBER",
                "codes": ["H2", "H3"],
                "caveat": "Do not act on this without asking first: a source would be known by it.",
                "audience": {"groups": [COUNCIL], "excluded": ["TH-RTP"]},
            },
        },
    ),
    Profile(
        "PEPPER",
        "KH-CNP",
        {
            "name": "Pepper Coast Syndicate",
            "aliases": [{"name": "ក្រុមឆ្នេរម្រេច", "language": "km"}],
            "kind": "syndicate",
            "status": "active",
            "threat_level": "high",
            "summary": "Leases sites along the coast, brings in what they need, and launders what they earn.",
            "activities": [
                {"type": "money_laundering", "since": "2021"},
                {"type": "drug_trafficking"},
                {"type": "document_forgery"},
            ],
            "locations": [
                {"name": "Pepper Trading", "role": "front_company", "country": "KH", "subdivision": "KH-7"},
                {"name": "Warehouse at the port", "role": "base", "country": "KH", "subdivision": "KH-18"},
            ],
            "identifiers": [{"type": "company_number", "value": "DEMO-00017", "note": "Pepper Trading"}],
            "handling": {"tlp": "AMBER", "audience": {"groups": [COUNCIL]}, "discoverable": "hit"},
        },
    ),
    Profile(
        "ORCHID",
        "TH-RTP",
        {
            "name": "Orchid Road Crew",
            "aliases": [{"name": "แก๊งถนนกล้วยไม้", "language": "th"}],
            "kind": "gang",
            "status": "relocated",
            "threat_level": "medium",
            "summary": "Drove people over the border until its houses were searched; now works from Sihanoukville.",
            "activities": [{"type": "migrant_smuggling", "since": "2022"}, {"type": "phone_scam", "since": "2025"}],
            "locations": [
                {"name": "House by the canal", "role": "safe_house", "country": "TH", "to": "2025-01"},
                {"role": "call_centre", "country": "KH", "subdivision": "KH-18", "from": "2025-02"},
            ],
            "relocations": [{"from": "TH", "to": "KH", "on": "2025-02", "reason": "Searches along the border."}],
            "handling": {"tlp": "GREEN", "audience": {"community": True}},
        },
    ),
    Profile(
        "TIDELINE",
        "INTERPOL",
        {
            "name": "Tideline Papers",
            "kind": "cell",
            "status": "dormant",
            "threat_level": "low",
            "summary": "Forged work permits that were found on people rescued in three countries.",
            "activities": [{"type": "document_forgery", "since": "2023"}],
            "nationalities": [],
            "handling": {"tlp": "CLEAR", "audience": {"community": True}},
        },
    ),
)

RELATIONS: Final = (
    Relation("MOONRISE", "SEAGLASS", {"type": "trades_persons_with", "since": "2025", "note": "Told by two victims."}),
    Relation("SEAGLASS", "MOONRISE", {"type": "rival_of", "note": "Over workers."}),
    Relation("LANTERN", "MOONRISE", {"type": "supplies", "note": "Warnings, for money."}),
    Relation("PEPPER", "MOONRISE", {"type": "supplies", "since": "2024-06", "note": "Leases the site."}),
    Relation("ORCHID", "TIDELINE", {"type": "related_to", "note": "Its permits were found in the house."}),
)

SIGHTINGS: Final = (
    Contribution(
        "MOONRISE",
        "KH-CNP",
        {
            "assessment": "corroborates",
            "observed_on": "2025-08-14",
            "note": "Two vans by night, some twenty people led in.",
            "grading": {"scheme": "admiralty", "source": "A", "information": "1"},
        },
    ),
    Contribution(
        "MOONRISE",
        "TH-RTP",
        {"assessment": "corroborates", "observed_on": "2025-07", "note": "Flight bookings paid by MB Careers."},
    ),
    Contribution(
        "TIDELINE",
        "TH-RTP",
        {"assessment": "contradicts", "observed_on": "2025-09", "note": "A permit of this make was sold in June."},
    ),
)

AMENDMENTS: Final = (
    Contribution(
        "MOONRISE",
        "KH-CNP",
        {"patch": {"estimated_members": 180}, "note": "Counted from the lists of the site's kitchen."},
        accepted=True,
    ),
    Contribution("TIDELINE", "TH-RTP", {"patch": {"status": "active"}, "note": "See our sighting."}),
)

ACKNOWLEDGEMENTS: Final = (("LANTERN", "KH-CNP"),)
"""Profiles with H3, and agencies that acknowledged their caveat; the others are shown a cover."""

DISCLOSURES: Final = (
    Contribution(
        "SEAGLASS",
        "KR-KNPA",
        {
            "agencies": ["INTERPOL"],
            "purpose": "Accounts in three countries are to be frozen, case 2025-1187.",
            "legal_basis": CHARTER,
        },
    ),
)

CREDENTIALS: Final = (
    *(
        (agency["code"], "demo case system", ["analyst", "operations_officer", "liaison_officer", "commander"])
        for agency in AGENCIES
    ),
    *((agency["code"], "demo administrator", ["agency_admin", "auditor"]) for agency in AGENCIES),
    ("HUB", "demo hub administrator", ["platform_admin"]),
)
"""Agency, label and roles of every credential that comes with the demo."""
