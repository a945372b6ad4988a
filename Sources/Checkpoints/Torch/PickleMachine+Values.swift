extension PickleMachine {
  /// Marks, copies and the memo.
  mutating func performStack(_ opcode: PickleOpcode) throws(PickleError) {
    switch opcode {
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: _ = try popToMark()
    case .duplicate:
      guard let top = stack.last else { throw damaged("an empty stack") }
      stack.append(top)
    case .binPut: try remember(cursor.integer(UInt8.self).map(Int.init))
    case .longBinPut: try remember(cursor.integer(UInt32.self).map(Int.init))
    case .memoize: try remember(memo.count)
    case .binGet: try recall(cursor.integer(UInt8.self).map(Int.init))
    case .longBinGet: try recall(cursor.integer(UInt32.self).map(Int.init))
    case .proto:
      guard let version = cursor.byte(), version <= 5 else { throw damaged("another protocol") }
    default:
      guard cursor.take(8) != nil else { throw damaged("half a frame") }
    }
  }

  private mutating func remember(_ index: Int?) throws(PickleError) {
    guard let index, let top = stack.last else { throw damaged("nothing to remember") }
    memo[index] = top
  }

  private mutating func recall(_ index: Int?) throws(PickleError) {
    guard let index, let value = memo[index] else { throw damaged("nothing remembered") }
    stack.append(value)
  }

  /// Lists, tuples, dictionaries; sets are of no use here.
  mutating func performContainer(_ opcode: PickleOpcode) throws(PickleError) {
    switch opcode {
    case .emptyList: stack.append(.list(newSequence([])))
    case .list: stack.append(.list(newSequence(try popToMark())))
    case .append: try extendTop([try pop()])
    case .appends: try extendTop(popToMark())
    case .emptyTuple: stack.append(.tuple(newSequence([])))
    case .tuple: stack.append(.tuple(newSequence(try popToMark())))
    case .tuple1: try makeTuple(of: 1)
    case .tuple2: try makeTuple(of: 2)
    case .tuple3: try makeTuple(of: 3)
    case .emptyDictionary: stack.append(newDictionary([]))
    case .dictionary:
      let values = try popToMark()
      stack.append(newDictionary([]))
      try setTop(values)
    case .setItem:
      let value = try pop()
      let key = try pop()
      try setTop([key, value])
    case .setItems: try setTop(popToMark())
    case .emptySet: stack.append(.opaque)
    case .addItems:
      _ = try popToMark()
      guard stack.last == .opaque else { throw damaged("elements of something that is no set") }
    default:
      _ = try popToMark()
      stack.append(.opaque)
    }
  }

  private mutating func makeTuple(of count: Int) throws(PickleError) {
    var values: [PickleValue] = []
    for _ in 0..<count { values.append(try pop()) }
    stack.append(.tuple(newSequence(values.reversed())))
  }

  /// Numbers, texts and bytes.
  mutating func performScalar(_ opcode: PickleOpcode) throws(PickleError) {
    guard let value = scalar(opcode) else { throw damaged("half a value") }
    stack.append(value)
  }

  private mutating func scalar(_ opcode: PickleOpcode) -> PickleValue? {
    switch opcode {
    case .none: PickleValue.none
    case .newTrue: .boolean(true)
    case .newFalse: .boolean(false)
    case .binInt: cursor.integer(Int32.self).map { .integer(Int($0)) }
    case .binInt1: cursor.integer(UInt8.self).map { .integer(Int($0)) }
    case .binInt2: cursor.integer(UInt16.self).map { .integer(Int($0)) }
    case .long1: long(cursor.integer(UInt8.self).map(Int.init))
    case .long4: long(cursor.integer(Int32.self).map(Int.init))
    case .binFloat:
      cursor.integer(UInt64.self).map { .number(Double(bitPattern: $0.byteSwapped)) }
    case .binUnicode, .binString: text(cursor.integer(UInt32.self).map(Int.init))
    case .shortBinUnicode, .shortBinString: text(cursor.integer(UInt8.self).map(Int.init))
    case .binUnicode8: text(cursor.integer(UInt64.self).flatMap(Int.init(exactly:)))
    case .binBytes: skipped(cursor.integer(UInt32.self).map(Int.init))
    case .shortBinBytes: skipped(cursor.integer(UInt8.self).map(Int.init))
    default: skipped(cursor.integer(UInt64.self).flatMap(Int.init(exactly:)))
    }
  }

  /// A number in as many bytes as it needs; one of more than 64 bits is of no use here.
  private mutating func long(_ count: Int?) -> PickleValue? {
    guard let bytes = count.flatMap({ cursor.take($0) }) else { return nil }
    guard bytes.count <= 8 else { return .opaque }
    var number = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    if let top = bytes.last, top >= 0x80, bytes.count < 8 { number |= .max << (8 * bytes.count) }
    return .integer(Int(truncatingIfNeeded: number))
  }

  private mutating func text(_ count: Int?) -> PickleValue? {
    count.flatMap { cursor.take($0) }.map { .text(String(decoding: $0, as: UTF8.self)) }
  }

  private mutating func skipped(_ count: Int?) -> PickleValue? {
    count.flatMap { cursor.take($0) }.map { _ in .opaque }
  }
}
