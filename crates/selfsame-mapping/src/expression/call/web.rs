//! Functions of what vendors ask for: addresses, user agents, codes.

use percent_encoding::percent_decode_str;

use crate::item::Item;
use crate::text::trim;

use super::{Given, Name};

/// ISO 4217, the currencies in use and those of precious metals and test.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB \
    BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP \
    DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR \
    ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT \
    MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON \
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
    TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XCD XDR XOF XPD XPF XPT \
    XSU XTS XUA XXX YER ZAR ZMW ZWL";

const STATES: [(&str, &str); 56] = [
    ("al", "alabama"),
    ("ak", "alaska"),
    ("az", "arizona"),
    ("ar", "arkansas"),
    ("ca", "california"),
    ("co", "colorado"),
    ("ct", "connecticut"),
    ("de", "delaware"),
    ("fl", "florida"),
    ("ga", "georgia"),
    ("hi", "hawaii"),
    ("id", "idaho"),
    ("il", "illinois"),
    ("in", "indiana"),
    ("ia", "iowa"),
    ("ks", "kansas"),
    ("ky", "kentucky"),
    ("la", "louisiana"),
    ("me", "maine"),
    ("md", "maryland"),
    ("ma", "massachusetts"),
    ("mi", "michigan"),
    ("mn", "minnesota"),
    ("ms", "mississippi"),
    ("mo", "missouri"),
    ("mt", "montana"),
    ("ne", "nebraska"),
    ("nv", "nevada"),
    ("nh", "new hampshire"),
    ("nj", "new jersey"),
    ("nm", "new mexico"),
    ("ny", "new york"),
    ("nc", "north carolina"),
    ("nd", "north dakota"),
    ("oh", "ohio"),
    ("ok", "oklahoma"),
    ("or", "oregon"),
    ("pa", "pennsylvania"),
    ("ri", "rhode island"),
    ("sc", "south carolina"),
    ("sd", "south dakota"),
    ("tn", "tennessee"),
    ("tx", "texas"),
    ("ut", "utah"),
    ("vt", "vermont"),
    ("va", "virginia"),
    ("wa", "washington"),
    ("wv", "west virginia"),
    ("wi", "wisconsin"),
    ("wy", "wyoming"),
    ("dc", "district of columbia"),
    ("as", "american samoa"),
    ("gu", "guam"),
    ("mp", "northern mariana islands"),
    ("pr", "puerto rico"),
    ("vi", "virgin islands"),
];

/// What user agents say, and what that is; the first one that is there counts.
const BROWSERS: [(&str, &str); 17] = [
    ("SamsungBrowser/", "Samsung Internet"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("Opera", "Opera"),
    ("YaBrowser/", "Yandex"),
    ("UCBrowser/", "UC Browser"),
    ("FBAN/", "Facebook"),
    ("FBAV/", "Facebook"),
    ("CriOS/", "Chrome"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("MSIE ", "Internet Explorer"),
    ("Trident/", "Internet Explorer"),
];

const SYSTEMS: [(&str, &str); 10] = [
    ("Windows Phone", "Windows Phone"),
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("iPod", "iOS"),
    ("CrOS", "Chrome OS"),
    ("Mac OS X", "Mac OS"),
    ("Macintosh", "Mac OS"),
    ("Linux", "Linux"),
];

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let text = given.subject.as_text()?.to_owned();
    given.budget().spend(text.len())?;
    match given.call.name {
        Name::EmailDomain => {
            let (_, domain) = trim(&text).rsplit_once('@')?;
            given.made(domain.to_lowercase())
        }
        Name::UrlHost => given.made(host(authority(&text)?.0)?.to_lowercase()),
        Name::UrlPath => {
            let (_, rest) = authority(&text)?;
            let path = rest.split(['?', '#']).next().unwrap_or_default();
            given.made(if path.is_empty() { "/" } else { path })
        }
        Name::UrlParam => {
            let name = given.argument_text(1)?;
            given.made(parameter(&text, &name)?)
        }
        Name::UaBrowser => {
            let is_safari = text.contains("Safari/") && text.contains("Version/");
            let name = named(&BROWSERS, &text).or_else(|| is_safari.then_some("Safari"));
            name.map(Item::Text)
        }
        Name::UaOs => named(&SYSTEMS, &text).map(Item::Text),
        Name::UaDevice => Some(Item::Text(device(&text))),
        _ => {
            let name = text.to_lowercase();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let state = STATES.iter().find(|(code, state)| *code == name || *state == name);
            state.map(|(code, _)| Item::Text(code))
        }
    }
}

fn named(names: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    names.iter().find(|(part, _)| text.contains(part)).map(|(_, name)| *name)
}

fn device(user_agent: &str) -> &'static str {
    let has = |part| user_agent.contains(part);
    if has("iPad") || has("Tablet") || (has("Android") && !has("Mobile")) {
        "tablet"
    } else if has("Mobile") || has("iPhone") || has("Windows Phone") {
        "mobile"
    } else {
        "desktop"
    }
}

/// Of an absolute URL, the part between `//` and the path, and the rest.
fn authority(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = trim(url).split_once("://")?;
    let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    is_scheme.then_some(rest.split_at(end))
}

/// Without who and on which port.
fn host(authority: &str) -> Option<&str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    host.get(..end).filter(|host| !host.is_empty())
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url.split('#').next().unwrap_or_default();
    let query = url.split_once('?').map_or(url, |(_, query)| query);
    let decoded =
        |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key) == name).then(|| decoded(value))
    })
}

/// Something, an `@`, and a domain with a point in it; no space.
pub(super) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let is_part = |part: &str| !part.is_empty();
    !name.is_empty()
        && !name.contains('@')
        && !text.contains(char::is_whitespace)
        && domain.contains('.')
        && domain.split('.').all(is_part)
}

pub(super) fn is_currency(text: &str) -> bool {
    let code = text.to_ascii_uppercase();
    code.len() == 3 && CURRENCIES.split_ascii_whitespace().any(|known| known == code)
}
