extension PickleMachine {
  /// Names, what is made with them, and storages.
  mutating func performObject(_ opcode: PickleOpcode) throws(PickleError) {
    switch opcode {
    case .global:
      guard let module = cursor.line(), let name = cursor.line() else {
        throw damaged("half a name")
      }
      try pushGlobal(String(decoding: module, as: UTF8.self), String(decoding: name, as: UTF8.self))
    case .stackGlobal:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw damaged("a name that is no text")
      }
      try pushGlobal(module, name)
    case .reduce:
      let arguments = try pop()
      stack.append(try applied(try pop(), elements(arguments) ?? []))
    case .newObject:
      _ = try pop()
      stack.append(try object(of: try pop()))
    case .newObjectWithKeywords:
      _ = try pop()
      _ = try pop()
      stack.append(try object(of: try pop()))
    case .build:
      // Attributes of an object; neither dictionaries nor tensors have any that matter.
      _ = try pop()
      switch stack.last {
      case .dictionary, .tensor, .opaque: break
      default: throw damaged("attributes of something that has none")
      }
    default: stack.append(try storage(try pop()))
    }
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(PickleError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw PickleError(
        found: "a pickle that uses \"\(module.prefix(80)).\(name.prefix(80))\"",
        expected: "only names that weights need; the file could run programs elsewhere")
    }
    stack.append(.global(global))
  }

  private mutating func object(of kind: PickleValue) throws(PickleError) -> PickleValue {
    switch kind {
    case .global(.orderedDict): newDictionary([])
    case .global(.ignored): .opaque
    default: throw damaged("an object of something that is no class")
    }
  }

  /// What calling a name gives.
  private mutating func applied(
    _ function: PickleValue, _ arguments: [PickleValue]
  ) throws(PickleError) -> PickleValue {
    guard case .global(let global) = function else {
      if function == .opaque { return .opaque }
      throw damaged("a call of something that is no name")
    }
    switch global {
    case .orderedDict: return try orderedDict(arguments)
    case .rebuildTensor: return try tensor(arguments)
    case .rebuildParameter:
      guard let first = arguments.first, case .tensor = first else {
        throw damaged("a parameter without a tensor")
      }
      return first
    case .rebuildFromType:
      guard arguments.count >= 3, arguments[0] == .global(.rebuildTensor) else {
        throw damaged("a tensor of an unknown kind")
      }
      return try tensor(elements(arguments[2]) ?? [])
    case .storage: throw damaged("a storage inside of the pickle")
    case .ignored: return .opaque
    }
  }

  private mutating func orderedDict(
    _ arguments: [PickleValue]
  ) throws(PickleError) -> PickleValue {
    guard let first = arguments.first else { return newDictionary([]) }
    guard let items = elements(first) else { throw damaged("a dictionary of no pairs") }
    // The same list may be named again and again: a short pickle must not fill the memory.
    try count(copies: items.count)
    var pairs: [Pair] = []
    for item in items {
      guard let pair = elements(item), pair.count == 2 else {
        throw damaged("a dictionary of no pairs")
      }
      pairs.append(Pair(key: pair[0], value: pair[1]))
    }
    return newDictionary(pairs)
  }

  /// `("storage", type, key, device, count)`, what torch calls a persistent id.
  private mutating func storage(_ id: PickleValue) throws(PickleError) -> PickleValue {
    guard let parts = elements(id), parts.count == 5, parts[0] == .text("storage"),
      case .global(.storage(let dtype)) = parts[1], case .text(let key) = parts[2],
      case .integer(let count) = parts[4], count >= 0
    else { throw damaged("a storage of an unknown kind") }
    return newStorage(PickledStorage(key: key, dtype: dtype, count: count))
  }

  /// `(storage, offset, shape, strides, …)`; the window must lie inside of the storage.
  private mutating func tensor(_ arguments: [PickleValue]) throws(PickleError) -> PickleValue {
    guard arguments.count >= 4, case .storage(let index) = arguments[0],
      case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
      let strides = integers(arguments[3]), shape.count == strides.count
    else { throw damaged("a tensor of an unknown kind") }
    try count(copies: 1 + shape.count)
    let tensor = PickledTensor(
      storage: storages[index], offset: offset, shape: shape, strides: strides)
    guard tensor.isInsideItsStorage else {
      throw PickleError(
        found: "a tensor of shape \(shape) with strides \(strides) from element \(offset)",
        expected: "a part of its \(storages[index].count) stored elements")
    }
    return newTensor(tensor)
  }

  /// Keeps account of what few bytes of a pickle can make much of.
  private mutating func count(copies added: Int) throws(PickleError) {
    copies += added
    guard copies <= 1 << 20 else { throw damaged("over a million copies of pairs or sizes") }
  }

  /// The numbers of a shape or its strides; torch's own operators end at eight axes.
  private func integers(_ value: PickleValue) -> [Int]? {
    guard let values = elements(value), values.count <= 8 else { return nil }
    let numbers = values.compactMap { value -> Int? in
      if case .integer(let number) = value { number } else { nil }
    }
    return numbers.count == values.count ? numbers : nil
  }
}

extension PickledTensor {
  /// Whether every element lies in the storage and none is there twice, as far as counts tell.
  var isInsideItsStorage: Bool {
    guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
      return false
    }
    if shape.contains(0) {
      return offset <= storage.count
        && SafetensorsHeader.byteCount(shape, storage.dtype) != nil
    }
    var (last, count) = (offset, 1)
    for (length, stride) in zip(shape, strides) {
      let (reach, isWide) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, isFar) = last.addingReportingOverflow(reach)
      let (product, isLarge) = count.multipliedReportingOverflow(by: length)
      if isWide || isFar || isLarge { return false }
      (last, count) = (sum, product)
    }
    return last < storage.count && count <= storage.count
  }

  /// Whether the elements lie one after the other.
  var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      if stride != expected { return false }
      expected &*= length  // beyond 63 bits only where another length is 0
    }
    return true
  }
}
