"""The GePG status codes that the sandbox speaks, with their meanings."""

OK = "7101"

MEANINGS = {
    OK: "Successful",
    "7202": "Header Not Given",
    "7204": "Bill does not exist",
    "7205": "Invalid Service Provider",
    "7207": "Duplicate Payment",
    "7213": "Bill Has Expired",
    "7214": "Insufficient Amount Paid",
    "7217": "No Payer Email Or Phone Number",
    "7219": "Wrong Currency",
    "7221": "Wrong Bill Equivalent Amount",
    "7222": "Wrong Bill Miscellaneous Amount",
    "7224": "Wrong Bill Amount",
    "7225": "Invalid Bill Reference Number Or Code",
    "7226": "Duplicate Bill Information",
    "7227": "Blank Bill Identification Number",
    "7228": "Invalid Sub Service Provider",
    "7229": "Wrong Bill Item GFS Or Payment Type Code",
    "7230": "Wrong Bill Generation Date",
    "7231": "Wrong Bill Expiry Date",
    "7234": "Wrong Bill Payment Option",
    "7242": "Invalid Request Data",
    "7254": "Invalid use payment reference, use 'Y' or 'N'",
    "7255": "Invalid item billed amount",
    "7256": "Invalid item equivalent amount",
    "7257": "Invalid item miscellaneous amount",
    "7258": "Total item billed amount mismatches the bill amount",
    "7259": "Total item equivalent amount mismatches the bill equivalent amount",
    "7260": "Total item miscellaneous amount mismatches the bill miscellaneous amount",
    "7267": "Invalid email address",
    "7268": "Invalid phone number",
    "7269": "Invalid or inactive Service Provider System Id",
    "7275": "Invalid Service Provider Payer Id",
    "7276": "Invalid Service Provider Payer Name",
    "7277": "Invalid bill description",
    "7278": "Invalid bill approval user",
    "7279": "Bill already settled",
    "7283": "Bill has been cancelled",
    "7285": "Invalid bill generation user",
    "7301": "Bill has been paid partially",
    "7302": "Paid amount is not exact billed amount",
    "7303": "Invalid Signature",
    "7321": "Request can not completed at this time, try later",
    "7322": "Inactive communication protocol",
    "7323": "Invalid code, mismatch of supplied code on information and header",
    "7333": "Invalid bill control number",
    "7335": "Requested bill control number does not exist",
    "7336": "Requested bill amount has reached the maximum payable limit",
    "7376": "Invalid Bill Reuse Reason",
}


def meaning(codes: str) -> str:
    """The sentence of a code, or of a list joined by ';'."""
    return "; ".join(MEANINGS.get(code, "unknown code") for code in codes.split(";"))
