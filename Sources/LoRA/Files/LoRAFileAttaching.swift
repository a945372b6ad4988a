import Checkpoints
import ComputeCore
import Layers

/// What became of the adapters of a file.
public struct AttachedLoRA {
  /// One network for each of the models that the file had adapters for.
  public let networks: [LoRANetwork]
  /// Names of tensors for models that were not given, such as a text encoder.
  public let skippedKeys: [String]

  /// Factor of all adapters: 0 switches them off, 1 is as trained.
  public var strength: Float {
    get { networks.first?.strength ?? 1 }
    nonmutating set { for network in networks { network.strength = newValue } }
  }

  /// Takes all adapters off their layers.
  public func detach() {
    for network in networks { network.detach() }
  }
}

extension LoRAFile {
  /// Puts the adapters of the file on the layers of models.
  ///
  /// Every tensor of the file is used or, for a model that was not given, reported.
  ///
  /// - Parameters:
  ///   - models: the U-Net and, if its adapters are wanted, the text encoder.
  ///   - strength: factor of all adapters, which can be changed later.
  /// - Returns: the networks and the names of the tensors that were not used.
  /// - Throws: `LoRAError`, naming everything that does not fit; the models are unchanged then.
  public func attach(
    to models: [LoRAComponent: any Module], strength: Float = 1
  ) throws(LoRAError) -> AttachedLoRA {
    guard dialect.isSupported else {
      throw .unsupported(
        file: path, kind: dialect.rawValue, keys: entries.flatMap(\.otherKeys).sorted())
    }
    var plan = AttachmentPlan()
    for (entry, alpha) in zip(entries, try alphas()) {
      if models[entry.component] == nil {
        plan.skippedKeys += entry.allKeys
      } else {
        plan.wanted[entry.component, default: []].append((entry, alpha))
      }
    }
    for component in LoRAComponent.allCases {
      guard let model = models[component], let wanted = plan.wanted[component] else { continue }
      plan.match(wanted, to: LayerTable(model), in: self)
    }
    if plan.members.isEmpty { plan.unmatched += plan.skippedKeys }
    guard plan.unmatched.isEmpty, plan.wrongShapes.isEmpty else {
      throw .mismatch(file: path, unmatched: plan.unmatched, wrongShapes: plan.wrongShapes)
    }
    for (entry, member) in plan.members { try load(entry, into: member.adapter) }
    let networks = LoRAComponent.allCases.compactMap { component in
      plan.network(of: component, strength: strength)
    }
    return AttachedLoRA(networks: networks, skippedKeys: plan.skippedKeys)
  }

  private func load(_ entry: Entry, into adapter: any LowRankAdapter) throws(LoRAError) {
    for (part, parameter) in [(LoRAKey.Part.down, adapter.down), (.up, adapter.up)] {
      guard let key = entry.keys[part] else { continue }
      let tensor = try read(key)
      guard tensor.isFinite else {
        throw .invalidValue(
          file: path, key: key, found: "partly infinite or not a number",
          expected: "finite numbers")
      }
      parameter.value = parameter.fromCheckpoint(tensor)
    }
  }
}

/// What a file is about to do to models, before anything is done.
private struct AttachmentPlan {
  var wanted: [LoRAComponent: [(entry: LoRAFile.Entry, alpha: Float)]] = [:]
  var members: [(entry: LoRAFile.Entry, member: LoRANetwork.Member)] = []
  var skippedKeys: [String] = []
  var unmatched: [String] = []
  var wrongShapes: [String] = []

  /// Finds the layer of every entry and makes an adapter for it.
  mutating func match(
    _ wanted: [(entry: LoRAFile.Entry, alpha: Float)], to layers: LayerTable, in file: LoRAFile
  ) {
    var taken: Set<String> = []
    var found: [(index: Int, entry: LoRAFile.Entry, member: LoRANetwork.Member)] = []
    for (entry, alpha) in wanted {
      let path = layers.path(
        named: entry.module, isFlattened: entry.isFlattened, component: entry.component)
      guard let path, let (index, layer) = layers[path: path], taken.insert(path).inserted,
        let adapter = LoRANetwork.makeAdapter(
          for: layer, rank: max(1, file.shape(.down, of: entry).first ?? 0), alpha: alpha)
      else {
        unmatched += entry.allKeys
        continue
      }
      check(.down, adapter.down, of: entry, in: file)
      check(.up, adapter.up, of: entry, in: file)
      found.append((index, entry, .init(path: path, layer: layer, adapter: adapter)))
    }
    members += found.sorted { $0.index < $1.index }.map { ($0.entry, $0.member) }
  }

  private mutating func check(
    _ part: LoRAKey.Part, _ parameter: Parameter, of entry: LoRAFile.Entry, in file: LoRAFile
  ) {
    let shape = file.shape(part, of: entry)
    guard squeezed(shape) != squeezed(parameter.checkpointShape), let key = entry.keys[part]
    else { return }
    wrongShapes.append("\(key) is \(shape), expected \(parameter.checkpointShape)")
  }

  func network(of component: LoRAComponent, strength: Float) -> LoRANetwork? {
    let own = members.filter { $0.entry.component == component }.map(\.member)
    if own.isEmpty { return nil }
    let network = LoRANetwork(component: component, members: own)
    network.strength = strength
    return network
  }
}

/// A weight's shape without the axes that only a 1×1 convolution has.
private func squeezed(_ shape: Shape) -> Shape {
  shape.count == 4 && shape[2...] == [1, 1] ? Array(shape[..<2]) : shape
}

extension Tensor {
  /// Whether no element is infinite or not a number.
  var isFinite: Bool {
    UnsafeBufferPointer(start: pointer, count: count).allSatisfy(\.isFinite)
  }
}
