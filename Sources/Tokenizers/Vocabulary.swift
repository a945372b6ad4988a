/// A two-way table of tokens and ids, keyed by bytes.
///
/// `String` keys would compare by canonical equivalence; vocabularies do not.
struct Vocabulary: Sendable {
  private var ids: [ArraySlice<UInt8>: Int32] = [:]
  private var tokens: [ArraySlice<UInt8>?] = []

  init(_ entries: [(token: [UInt8], id: Int32)]) {
    ids.reserveCapacity(entries.count)
    for (token, id) in entries { insert(token[...], id: id) }
  }

  /// One past the largest id.
  var count: Int { tokens.count }

  mutating func insert(_ token: ArraySlice<UInt8>, id: Int32) {
    ids[token] = id
    let index = Int(id)
    if index >= tokens.count {
      tokens.append(contentsOf: repeatElement(nil, count: index + 1 - tokens.count))
    }
    tokens[index] = token
  }

  subscript(_ token: ArraySlice<UInt8>) -> Int32? { ids[token] }

  subscript(_ token: String) -> Int32? { ids[Array(token.utf8)[...]] }

  /// The UTF-8 of the token with this id.
  func token(_ id: Int32) -> ArraySlice<UInt8>? {
    tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil
  }
}
