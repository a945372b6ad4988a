import Foundation

/// The files of a checkpoint's `tokenizer/` folder.
struct TokenizerFolder {
  let url: URL

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func bytes(_ name: String) throws(TokenizerError) -> [UInt8] {
    try Self.bytes(of: url.appendingPathComponent(name))
  }

  func json(_ name: String) throws(TokenizerError) -> JSONValue {
    let bytes = try bytes(name)
    do {
      return try JSONReader.read(bytes)
    } catch {
      throw .malformed(path: path(name), reason: error.description)
    }
  }

  /// The `tokenizer_config.json` of the folder, nil if there is none.
  func config() throws(TokenizerError) -> JSONValue? {
    contains("tokenizer_config.json") ? try json("tokenizer_config.json") : nil
  }

  /// A special token such as `pad_token`, from the two files that may name it.
  ///
  /// The token is written as a text or as an object with `content`.
  func specialToken(_ key: String) throws(TokenizerError) -> String? {
    for name in ["tokenizer_config.json", "special_tokens_map.json"] where contains(name) {
      let entry = try json(name)[key]
      if let token = entry?.string ?? entry?["content"]?.string { return token }
    }
    return nil
  }

  static func bytes(of url: URL) throws(TokenizerError) -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: url))
    } catch {
      throw .unreadable(path: url.path, reason: error.localizedDescription)
    }
  }
}

extension JSONValue {
  /// The members of `model.vocab`-like objects: token bytes and id.
  func vocabulary(path: String) throws(TokenizerError) -> [(token: [UInt8], id: Int32)] {
    guard case .object(let members) = self, !members.isEmpty else {
      throw .malformed(path: path, reason: "the vocabulary is not an object of token ids")
    }
    var entries: [(token: [UInt8], id: Int32)] = []
    entries.reserveCapacity(members.count)
    for (token, value) in members {
      guard let id = value.int32, id >= 0 else {
        let name = String(decoding: token, as: UTF8.self)
        throw .malformed(path: path, reason: "token \"\(name)\" has no id of 0 or more")
      }
      entries.append((token, id))
    }
    return entries
  }
}

extension Sequence<UInt8> {
  /// The lines of a text file; LF and CRLF end a line, a last empty line is left out.
  func lines() -> [ArraySlice<UInt8>] {
    var lines = Array(self).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
  }
}
