/// Reads the pickle of a torch checkpoint without running anything.
///
/// A pickle is a program for a stack machine; this machine knows the instructions that build plain
/// values, and a fixed list of names (`PickleGlobal`). Everything else is refused by its name.
/// Source: CPython `Lib/pickletools.py`, the meaning of each opcode of protocols 2 to 5, and torch
/// `serialization.py`, `_rebuild_tensor_v2` and persistent ids.
struct PickleMachine {
  var cursor: ByteCursor
  var stack: [PickleValue] = []
  /// Heights of the stack at the open marks.
  var marks: [Int] = []
  var memo: [Int: PickleValue] = [:]
  /// Elements of lists and tuples.
  private(set) var sequences: [[PickleValue]] = []
  /// Pairs of dictionaries, in the order they were set.
  private(set) var dictionaries: [[Pair]] = []
  private(set) var storages: [PickledStorage] = []
  private(set) var tensors: [PickledTensor] = []

  /// Pairs that were copied into dictionaries from lists, and sizes into tensors.
  var copies = 0

  /// One entry of a dictionary.
  struct Pair: Equatable {
    let key: PickleValue
    let value: PickleValue
  }

  init(_ bytes: [UInt8]) {
    cursor = ByteCursor(bytes)
  }

  /// Runs to the end.
  ///
  /// - Returns: what the pickle is of.
  /// - Throws: `PickleError` naming the instruction or the name that is refused.
  mutating func run() throws(PickleError) -> PickleValue {
    while true {
      let place = cursor.position
      guard let byte = cursor.byte() else { throw damaged("an end without STOP") }
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw PickleError(
          found: "the pickle instruction \(PickleOpcode.name(byte)) at byte \(place)",
          expected: "those that build tensors, numbers, texts, lists and dictionaries")
      }
      if opcode == .stop { return try pop() }
      try perform(opcode)
    }
  }

  private mutating func perform(_ opcode: PickleOpcode) throws(PickleError) {
    switch opcode {
    case .global, .stackGlobal, .reduce, .newObject, .newObjectWithKeywords, .build, .persistentID:
      try performObject(opcode)
    case .mark, .pop, .popMark, .duplicate, .binPut, .longBinPut, .memoize, .binGet, .longBinGet,
      .proto, .frame, .stop:
      try performStack(opcode)
    case .emptyList, .append, .appends, .list, .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3,
      .emptyDictionary, .setItem, .setItems, .dictionary, .emptySet, .addItems, .frozenSet:
      try performContainer(opcode)
    default: try performScalar(opcode)
    }
  }

  // Each table's new entry, as a value.

  mutating func newSequence(_ values: [PickleValue]) -> Int {
    sequences.append(values)
    return sequences.count - 1
  }

  mutating func newDictionary(_ pairs: [Pair]) -> PickleValue {
    dictionaries.append(pairs)
    return .dictionary(dictionaries.count - 1)
  }

  mutating func newStorage(_ storage: PickledStorage) -> PickleValue {
    storages.append(storage)
    return .storage(storages.count - 1)
  }

  mutating func newTensor(_ tensor: PickledTensor) -> PickleValue {
    tensors.append(tensor)
    return .tensor(tensors.count - 1)
  }

  /// Appends to the list on top of the stack; what is added to an ignored object is ignored.
  mutating func extendTop(_ values: [PickleValue]) throws(PickleError) {
    switch stack.last {
    case .list(let index): sequences[index] += values
    case .opaque: break
    default: throw damaged("elements of something that is no list")
    }
  }

  /// Sets alternating keys and values of the dictionary on top of the stack.
  mutating func setTop(_ values: [PickleValue]) throws(PickleError) {
    guard values.count % 2 == 0 else { throw damaged("a key without a value") }
    switch stack.last {
    case .dictionary(let index):
      for key in stride(from: 0, to: values.count, by: 2) {
        dictionaries[index].append(Pair(key: values[key], value: values[key + 1]))
      }
    case .opaque: break
    default: throw damaged("keys of something that is no dictionary")
    }
  }

  /// Takes the top of the stack, which must be above the last mark.
  mutating func pop() throws(PickleError) -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw damaged("an empty stack")
    }
    return value
  }

  /// Takes everything above the last mark.
  mutating func popToMark() throws(PickleError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("no mark") }
    let values = Array(stack[mark...])
    stack.removeLast(values.count)
    return values
  }

  /// The elements of a list or a tuple.
  func elements(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .list(let index), .tuple(let index): sequences[index]
    default: nil
    }
  }

  func damaged(_ what: String) -> PickleError {
    PickleError(
      found: "\(what) at byte \(cursor.position) of the pickle", expected: "a whole pickle")
  }
}
