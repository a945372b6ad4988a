/// The words in a file's or folder's name: `red_apple-03` says "red apple".
///
/// Words are split at everything that is neither letter, digit nor apostrophe, and where a capital
/// letter begins a word; they are made lower case. Numbers, digits at the end of words, what
/// cameras and messengers begin names with (`IMG_1234`) and hexadecimal identifiers are dropped.
///
/// - Returns: the words with single spaces; empty when the name says nothing.
package func caption(fromName name: some StringProtocol) -> String {
  name.split { !($0.isLetter || $0.isNumber || $0 == "'") }
    .flatMap { splitCamelCase(Array($0)) }
    .compactMap(word)
    .joined(separator: " ")
}

/// `redApple` → `red`, `Apple`; `HTMLPage` → `HTML`, `Page`.
private func splitCamelCase(_ characters: [Character]) -> [String] {
  var words: [String] = []
  var current = ""
  for (index, character) in characters.enumerated() {
    if character.isUppercase, index > 0 {
      let endsAcronym =
        characters[index - 1].isUppercase && index + 1 < characters.count
        && characters[index + 1].isLowercase
      if !characters[index - 1].isUppercase || endsAcronym {
        words.append(current)
        current = ""
      }
    }
    current.append(character)
  }
  return words + [current]
}

/// The word that a part of a name stands for; `nil` when it says nothing.
private func word(_ part: String) -> String? {
  var word = part.lowercased()
  let length = word.count
  while word.last?.isNumber == true { word.removeLast() }
  let isIdentifier =
    length >= 4 && word.allSatisfy(\.isHexDigit) && word.contains(where: \.isNumber)
  guard word.contains(where: \.isLetter), !isIdentifier, !cameraPrefixes.contains(word) else {
    return nil
  }
  return word
}

/// First parts of the names that cameras (DCF and phones) and messengers make up.
private let cameraPrefixes: Set<String> = [
  "img", "imag", "dsc", "dscf", "dscn", "dsci", "dcim", "pxl", "mvimg", "gopr", "sam", "p", "wa",
  "cimg", "hpim", "kif", "sdc", "fb", "dji",
]
