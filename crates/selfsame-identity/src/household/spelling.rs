//! One spelling for what people write in many: addresses, names, hashes.
//!
//! Only what the same person would write either way is made one: letters by what they are without
//! case and marks, punctuation, and a fixed list of abbreviations. Nothing is looked up or guessed.
//! Two real addresses become one only if they differ in nothing but these.
//!
//! The letters of scripts other than Latin are put in lower case by the tables of the standard
//! library, which are pinned with the compiler; a newer one is a change of the logic that decides.

use std::collections::BTreeSet;

use super::Lack;

/// Longest street, whole address and name, in bytes. Longer ones are none.
const STREET_BYTES: usize = 300;
const ADDRESS_BYTES: usize = 600;
const NAME_BYTES: usize = 200;
const CODE_BYTES: usize = 20;
const COUNTRY_BYTES: usize = 60;

/// Words of an address, and the one that they are written as. Each is a way to write the other; that
/// a short one can also mean something else (`st` a saint, `dr` a doctor) makes no two houses one.
const WORDS: &[(&str, &str)] = &[
    ("apartment", "unit"),
    ("apt", "unit"),
    ("av", "ave"),
    ("avda", "ave"),
    ("avenida", "ave"),
    ("avenue", "ave"),
    ("bd", "blvd"),
    ("boulevard", "blvd"),
    ("building", "bldg"),
    ("circle", "cir"),
    ("court", "ct"),
    ("crescent", "cres"),
    ("drive", "dr"),
    ("east", "e"),
    ("flat", "unit"),
    ("floor", "fl"),
    ("highway", "hwy"),
    ("lane", "ln"),
    ("north", "n"),
    ("northeast", "ne"),
    ("northwest", "nw"),
    ("parkway", "pkwy"),
    ("place", "pl"),
    ("road", "rd"),
    ("saint", "st"),
    ("south", "s"),
    ("southeast", "se"),
    ("southwest", "sw"),
    ("square", "sq"),
    ("ste", "unit"),
    ("street", "st"),
    ("suite", "unit"),
    ("terrace", "ter"),
    ("trail", "trl"),
    ("west", "w"),
];

/// Ends of words that are one: Hauptstraße, Hauptstrasse and Hauptstr.
const ENDS: &[(&str, &str)] = &[("strasse", "str"), ("straat", "str")];

/// What says that nobody lives there.
const POST_BOXES: &[&str] = &[
    "apartado",
    "boite postale",
    "casella postale",
    "case postale",
    "general delivery",
    "gpo box",
    "locked bag",
    "packstation",
    "po box",
    "pobox",
    "post box",
    "post office box",
    "postbus",
    "poste restante",
    "postfach",
    "private bag",
];

/// Countries by their two letters, and what else they are often called.
const COUNTRIES: &[(&str, &[&str])] = &[
    ("ae", &["are", "uae", "united arab emirates"]),
    ("at", &["aut", "austria", "osterreich"]),
    ("au", &["aus", "australia"]),
    ("be", &["bel", "belgium", "belgie", "belgique"]),
    ("br", &["bra", "brazil", "brasil"]),
    ("ca", &["can", "canada"]),
    ("ch", &["che", "switzerland", "schweiz", "suisse", "svizzera"]),
    ("cn", &["chn", "china"]),
    ("cz", &["cze", "czechia", "czech republic", "cesko"]),
    ("de", &["deu", "ger", "germany", "deutschland"]),
    ("dk", &["dnk", "denmark", "danmark"]),
    ("es", &["esp", "spain", "espana"]),
    ("fi", &["fin", "finland", "suomi"]),
    ("fr", &["fra", "france"]),
    ("gb", &["gbr", "uk", "united kingdom", "great britain", "england", "scotland", "wales"]),
    ("gr", &["grc", "greece"]),
    ("ie", &["irl", "ireland"]),
    ("il", &["isr", "israel"]),
    ("in", &["ind", "india"]),
    ("it", &["ita", "italy", "italia"]),
    ("jp", &["jpn", "japan"]),
    ("kr", &["kor", "south korea", "korea"]),
    ("lu", &["lux", "luxembourg", "luxemburg"]),
    ("mx", &["mex", "mexico"]),
    ("nl", &["nld", "netherlands", "the netherlands", "nederland", "holland"]),
    ("no", &["nor", "norway", "norge"]),
    ("nz", &["nzl", "new zealand"]),
    ("pl", &["pol", "poland", "polska"]),
    ("pt", &["prt", "portugal"]),
    ("ro", &["rou", "romania"]),
    ("se", &["swe", "sweden", "sverige"]),
    ("sg", &["sgp", "singapore"]),
    ("tr", &["tur", "turkey", "turkiye"]),
    ("ua", &["ukr", "ukraine"]),
    ("us", &["usa", "united states", "united states of america", "america"]),
    ("za", &["zaf", "south africa"]),
];

/// What may follow a family name and is no part of it.
const GENERATIONS: &[&str] = &["jr", "sr", "ii", "iii", "iv"];
/// What a name ends with that is not a person's.
const COMPANIES: &[&str] = &[
    "ag", "bv", "co", "company", "corp", "gmbh", "inc", "kg", "limited", "llc", "ltd", "plc", "sa",
];

/// The hashes of an empty text: by MD5, SHA-1, SHA-256 and SHA-512.
const OF_NOTHING: [&str; 4] = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
];

/// A street with a house number.
pub(super) fn street(text: &str) -> Result<String, Lack> {
    if text.len() > STREET_BYTES {
        return Err(Lack::NoHouse);
    }
    let words = address_words(text);
    let spelled = words.join(" ");
    if is_post_box(&spelled) {
        return Err(Lack::PostBox);
    }
    let has_name =
        words.iter().any(|word| word.chars().filter(|one| one.is_alphabetic()).count() > 1);
    let has_number = words.iter().any(|word| is_house_number(word));
    if has_name && has_number { Ok(spelled) } else { Err(Lack::NoHouse) }
}

/// A whole address as one text. What it has to have, a house number and a postal code, are at least
/// two words with digits.
pub(super) fn whole_address(text: &str) -> Result<String, Lack> {
    if text.len() > ADDRESS_BYTES {
        return Err(Lack::NoHouse);
    }
    let words = address_words(text);
    let spelled = words.join(" ");
    if is_post_box(&spelled) {
        return Err(Lack::PostBox);
    }
    let numbers = words.iter().filter(|word| word.bytes().any(|byte| byte.is_ascii_digit()));
    let names = words.iter().filter(|word| word.chars().all(char::is_alphabetic));
    let has_number = words.iter().any(|word| is_house_number(word));
    let is_house = has_number && numbers.count() >= 2 && names.count() >= 2;
    if is_house { Ok(format!("\n{spelled}")) } else { Err(Lack::NoHouse) }
}

/// A postal code without what stands between its signs. Of the American nine digits the first five,
/// which are what others write of the same place.
pub(super) fn postal_code(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > CODE_BYTES {
        return None;
    }
    let short = match text.split_once('-') {
        Some((five, four)) if five.len() == 5 && four.len() == 4 => five,
        _ => text,
    };
    let code: String = plain(short).split(' ').collect();
    let mut signs = code.chars();
    let first = signs.next()?;
    let has_digit = code.bytes().any(|byte| byte.is_ascii_digit());
    let is_one_sign = signs.all(|sign| sign == first);
    (code.len() >= 3 && has_digit && !is_one_sign).then_some(code)
}

/// A country; what is not in the table is compared as it is written.
pub(super) fn country(text: &str) -> Option<String> {
    if text.len() > COUNTRY_BYTES {
        return None;
    }
    let spelled = joined(plain(text).split_whitespace().map(str::to_owned)).join(" ");
    let known = COUNTRIES.iter().find(|(_, names)| names.contains(&&*spelled));
    Some(known.map_or(spelled, |(code, _)| (*code).to_owned()))
}

/// A family name, of at least two letters where it is in Latin ones.
pub(super) fn family_name(text: &str) -> Option<String> {
    if text.len() > NAME_BYTES {
        return None;
    }
    let spelled = plain(text);
    let mut words: Vec<&str> = spelled.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|last| GENERATIONS.contains(last)) {
        words.pop();
    }
    let letters = words.iter().flat_map(|word| word.chars());
    let is_long = |letters: usize| letters > 1 || letters == 1 && !spelled.is_ascii();
    let is_name = letters.clone().all(char::is_alphabetic) && is_long(letters.count());
    is_name.then(|| words.join(" "))
}

/// What a full name says of the family name: what stands before a comma, or the last of at least two
/// words. None of a company's name.
pub(super) fn family_of(name: &str) -> Option<&str> {
    if name.len() > NAME_BYTES {
        return None;
    }
    let is_one_of = |word: &str, list: &[&str]| {
        let word = plain(word);
        list.contains(&word.trim())
    };
    let whole = match name.split_once(',') {
        Some((before, after)) if !is_one_of(after, GENERATIONS) => {
            let is_person = !is_one_of(after, COMPANIES) && !after.trim().is_empty();
            return Some(before).filter(|_| is_person);
        }
        Some((before, _)) => before,
        None => name,
    };
    let mut words: Vec<&str> = whole.split_whitespace().collect();
    while words.len() > 2 && words.last().is_some_and(|last| is_one_of(last, GENERATIONS)) {
        words.pop();
    }
    match words.as_slice() {
        [_, .., last] if !is_one_of(last, COMPANIES) && !is_one_of(last, GENERATIONS) => Some(last),
        _ => None,
    }
}

/// A hash, as hexadecimal digits in lower case, or in base 64 as it is. A number is none, it could be
/// the card itself; nor is what has few different signs, as a number with most digits hidden.
pub(super) fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let different: BTreeSet<u8> = text.bytes().take(257).collect();
    let is_hash = (16..=256).contains(&text.len())
        && different.len() >= 8
        && different.iter().all(u8::is_ascii_graphic)
        && different.iter().any(u8::is_ascii_alphabetic);
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = if is_hex { text.to_ascii_lowercase() } else { text.to_owned() };
    (is_hash && !OF_NOTHING.contains(&&*hash)).then_some(hash)
}

/// A word that a house could have: it begins with a digit, and is not the number of a street (`5th`).
fn is_house_number(word: &str) -> bool {
    let letters = word.trim_start_matches(|sign: char| sign.is_ascii_digit());
    letters.len() < word.len() && !matches!(letters, "st" | "nd" | "rd" | "th")
}

fn is_post_box(spelled: &str) -> bool {
    let padded = format!(" {spelled} ");
    POST_BOXES.iter().any(|name| padded.contains(&format!(" {name} ")))
}

/// The words of an address, each in one spelling.
fn address_words(text: &str) -> Vec<String> {
    let text = text.replace('#', " unit ");
    let plain = plain(&text);
    let words = plain.split_whitespace().map(|word| {
        if let Ok(at) = WORDS.binary_search_by(|(known, _)| known.cmp(&word)) {
            return WORDS[at].1.to_owned();
        }
        let end = ENDS.iter().find_map(|(end, short)| Some((word.strip_suffix(end)?, short)));
        end.map_or_else(|| word.to_owned(), |(start, short)| format!("{start}{short}"))
    });
    let mut words = joined(words);
    // `Apt #4` says it twice.
    words.dedup_by(|next, word| next == word && word == "unit");
    // `12 b` is `12b`.
    words.dedup_by(|next, word| {
        let is_letter = next.chars().count() == 1 && next.chars().all(char::is_alphabetic);
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if is_letter && is_number {
            word.push_str(next);
        }
        is_letter && is_number
    });
    words
}

/// Single letters that stand side by side as one word: `p o box` is `po box`.
fn joined(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut was_letter = false;
    for word in words {
        let is_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
        match all.last_mut() {
            Some(last) if was_letter && is_letter => last.push_str(&word),
            _ => all.push(word),
        }
        was_letter = is_letter;
    }
    all
}

/// Letters and digits in lower case and without marks, and one space for what stands between them.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars().flat_map(char::to_lowercase) {
        if is_left_out(sign) {
            continue;
        }
        if !sign.is_alphanumeric() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            continue;
        }
        match base(sign) {
            Some(letters) => out.push_str(letters),
            None => out.push(sign),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Marks, apostrophes, and what nobody sees.
fn is_left_out(sign: char) -> bool {
    matches!(
        sign,
        '\'' | '`' | '\u{b4}' | '\u{2bc}' | '\u{2018}' | '\u{2019}'
            | '\u{300}'..='\u{36f}'
            | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

/// A Latin letter with a mark, without it.
fn base(sign: char) -> Option<&'static str> {
    Some(match sign {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
pub(super) fn check_tables() {
    assert!(WORDS.is_sorted_by(|one, two| one.0 < two.0));
    // What a word is written as is a word that stays.
    assert!(WORDS.iter().all(|(_, to)| WORDS.iter().all(|(from, _)| from != to)));
    let mut names: Vec<_> =
        COUNTRIES.iter().flat_map(|(code, all)| all.iter().chain([code])).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "no name is of two countries");
}
