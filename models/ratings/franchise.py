"""Franchises: one code for a team, whatever year or feed its code is from."""

# A franchise that moved or changed its name keeps its strength. The Charlotte Hornets of
# 1988-2002 (CHH) went to New Orleans; CHA is the expansion team of 2004.
FRANCHISES = {
    "SEA": "OKC",
    "NJN": "BKN",
    "VAN": "MEM",
    "CHH": "NOP",
    "NOH": "NOP",
    "NOK": "NOP",
    "WSB": "WAS",
}
# The same teams as other feeds write them.
OTHER_SPELLINGS = {
    "BRK": "BKN",
    "CHO": "CHA",
    "GS": "GSW",
    "NO": "NOP",
    "NY": "NYK",
    "PHO": "PHX",
    "SA": "SAS",
    "UTAH": "UTA",
    "WSH": "WAS",
}
_FRANCHISE_OF = FRANCHISES | OTHER_SPELLINGS


def franchise(code: str) -> str:
    """The present code of a team, whatever year or feed its code is from."""
    return _FRANCHISE_OF.get(code, code)
