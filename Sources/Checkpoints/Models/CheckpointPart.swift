import ComputeCore

/// Tensors of a source under other names: renamed, cut into ranges of rows, or joined.
///
/// Nothing is read until a tensor is; cutting and joining are by the first axis, so that both are
/// ranges of bytes and exact in every type.
public struct CheckpointPart: TensorSource {
  private struct Entry {
    let shape: Shape
    let dtype: SafetensorsDType
    /// Whole tensors, or ranges of their bytes, one after the other.
    var pieces: [(key: String, range: Range<Int>)]
  }

  private let source: any TensorSource
  private var entries: [String: Entry] = [:]

  /// A part without tensors.
  public init(of source: any TensorSource) {
    self.source = source
  }

  /// The tensors that `keyMap` knows, under the names it gives them.
  ///
  /// - Throws: `CheckpointError.malformed` when two tensors would get the same name.
  public init(of source: any TensorSource, _ keyMap: KeyMap) throws(CheckpointError) {
    self.init(of: source)
    for key in source.keys {
      if let name = keyMap(key) { try add(name, key) }
    }
  }

  /// Adds a tensor under another name and, where there are as many elements, with another shape.
  package mutating func add(
    _ name: String, _ key: String, shape: Shape? = nil
  ) throws(CheckpointError) {
    let entry = try whole(key, shape: shape)
    try put(entry, name)
  }

  /// Adds the rows `rows` of a tensor.
  package mutating func add(
    _ name: String, rows: Range<Int>, of key: String
  ) throws(CheckpointError) {
    let entry = try whole(key, shape: nil)
    guard let count = entry.shape.first, count > 0, rows.upperBound <= count else {
      throw .malformed(
        file: path, found: "\"\(key)\" of shape \(entry.shape)",
        expected: "\(rows.upperBound) rows")
    }
    let row = source.byteCount(of: key) / count
    let range = rows.lowerBound * row..<rows.upperBound * row
    try put(
      Entry(
        shape: [rows.count] + entry.shape.dropFirst(), dtype: entry.dtype, pieces: [(key, range)]),
      name)
  }

  /// Adds the rows of several tensors of the same type and width after each other.
  package mutating func add(_ name: String, joining keys: [String]) throws(CheckpointError) {
    var rows = 0
    var pieces: [(key: String, range: Range<Int>)] = []
    var first: Entry?
    for key in keys {
      let entry = try whole(key, shape: nil)
      let model = first ?? entry
      guard entry.dtype == model.dtype, entry.shape.dropFirst() == model.shape.dropFirst(),
        let count = entry.shape.first, count < 1 << 40
      else {
        throw .malformed(
          file: path, found: "\"\(key)\" of \(entry.dtype.rawValue) \(entry.shape)",
          expected: "rows that go with \"\(keys[0])\"")
      }
      first = model
      rows += count
      pieces += entry.pieces
    }
    guard let first else { return }
    try put(
      Entry(shape: [rows] + first.shape.dropFirst(), dtype: first.dtype, pieces: pieces), name)
  }

  private func whole(_ key: String, shape: Shape?) throws(CheckpointError) -> Entry {
    guard let found = source.shape(of: key), let dtype = source.dtype(of: key) else {
      throw .noSuchKey(file: path, key: key)
    }
    let isSame = shape.map { $0.reduce(1, *) == found.reduce(1, *) } ?? true
    return Entry(
      shape: isSame ? shape ?? found : found, dtype: dtype,
      pieces: [(key, 0..<source.byteCount(of: key))])
  }

  private mutating func put(_ entry: Entry, _ name: String) throws(CheckpointError) {
    if let other = entries.updateValue(entry, forKey: name) {
      let names = (other.pieces + entry.pieces).map { "\"\($0.key)\"" }
      throw .malformed(
        file: path, found: names.joined(separator: " and "), expected: "one tensor for \"\(name)\"")
    }
  }

  /// The path of what it is a part of.
  public var path: String { source.path }
  /// Names of all tensors, sorted.
  public var keys: [String] { entries.keys.sorted() }
  /// The text that came with all of the tensors.
  public var metadata: [String: String] { source.metadata }
  /// Shape of a tensor, or `nil` when there is none of that name.
  public func shape(of key: String) -> Shape? { entries[key]?.shape }
  /// Element type of a tensor, or `nil` when there is none of that name.
  public func dtype(of key: String) -> SafetensorsDType? { entries[key]?.dtype }

  /// Whether all that a tensor is made of is stored in order.
  public func isInOrder(_ key: String) -> Bool {
    entries[key]?.pieces.allSatisfy { source.isInOrder($0.key) } ?? true
  }

  /// Reads a part of a tensor's bytes.
  public func read(
    _ key: String, _ range: Range<Int>, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    guard let entry = entries[key] else { throw .noSuchKey(file: path, key: key) }
    var start = 0
    for piece in entry.pieces {
      let wanted = range.clamped(to: start..<start + piece.range.count)
      if !wanted.isEmpty {
        let offset = piece.range.lowerBound - start
        try source.read(
          piece.key, wanted.lowerBound + offset..<wanted.upperBound + offset,
          into: target + (wanted.lowerBound - range.lowerBound))
      }
      start += piece.range.count
    }
  }
}
