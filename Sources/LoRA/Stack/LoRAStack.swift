import Checkpoints
import ComputeCore
import Layers

/// The LoRA files that change the models of one pipeline together.
///
/// Changes add up, each being one of the models' own weights, so the order of files does not
/// matter. The stack is the only one that may change the models' weights while files are attached.
public final class LoRAStack {
  /// Where changes are made.
  public enum Application: Sendable {
    /// Products of thin matrices are computed beside their layers, at no cost to change their
    /// strength; everything else is added to the weights.
    case onTheFly
    /// All is added to the weights, which costs nothing when they are used. Weights that a frozen
    /// model has not read yet are added to when they are packed and take no further memory.
    case merged
  }

  private let tables: [LoRAComponent: LayerTable]
  private var patched: [ObjectIdentifier: PatchedParameter] = [:]

  /// A stack without files.
  ///
  /// - Parameter models: the U-Net and, if its adapters are wanted, the text encoder.
  public init(_ models: [LoRAComponent: any Module]) {
    tables = models.mapValues(LayerTable.init)
  }

  /// Puts the adapters of a file on the layers of the models.
  ///
  /// Every tensor of the file is used or reported.
  ///
  /// - Parameters:
  ///   - file: the adapters.
  ///   - strength: factor of the adapters, which can be changed later.
  ///   - textStrength: that of the text encoder; `strength` when left out.
  ///   - application: where changes are made.
  ///   - allowsUnmatched: whether tensors for layers that the models do not have are reported
  ///     instead of refused.
  /// - Returns: the adapters and the names of the tensors that were not used.
  /// - Throws: `LoRAError`, naming everything that does not fit; the models are unchanged then.
  public func attach(
    _ file: LoRAFile, strength: Float = 1, textStrength: Float? = nil,
    application: Application = .onTheFly, allowsUnmatched: Bool = false
  ) throws(LoRAError) -> AttachedLoRA {
    let matches = try LoRAMatches(file, tables, allowsUnmatched: allowsUnmatched)
    var members: [LoRAComponent: [LoRANetwork.Member]] = [:]
    var patches: [LoRAComponent: [(Parameter, ParameterPatch)]] = [:]
    for component in LoRAComponent.allCases {
      for match in matches.found[component] ?? [] {
        let member =
          application == .onTheFly ? try LoRAStack.member(match, in: file) : nil
        if let member { members[component, default: []].append(member) }
        patches[component, default: []] += try LoRAStack.patches(
          match, in: file, withWeight: member == nil)
      }
    }
    // Nothing can go wrong from here on: layers get their adapters when networks are made.
    let networks = LoRAComponent.allCases.compactMap { component in
      members[component].map { LoRANetwork(component: component, members: $0) }
    }
    let attached = AttachedLoRA(
      networks: networks, patched: patches.mapValues { register($0.map(\.0)) }, matches)
    for (parameter, patch) in patches.values.joined() {
      patched[ObjectIdentifier(parameter)]?.add(patch, of: ObjectIdentifier(attached))
    }
    attached.whenDetached = { [weak self] in self?.dropUnchanged() }
    attached.setStrength(strength, textEncoder: textStrength ?? strength)
    return attached
  }

  /// Forgets parameters that no file changes any more: they may change otherwise from now on.
  private func dropUnchanged() { patched = patched.filter { !$0.value.isEmpty } }

  private func register(_ parameters: [Parameter]) -> [PatchedParameter] {
    parameters.map { parameter in
      let known = patched[ObjectIdentifier(parameter)]
      let own = known ?? PatchedParameter(parameter)
      patched[ObjectIdentifier(parameter)] = own
      return own
    }
  }

  /// An adapter that computes beside its layer; `nil` where the form or the layer has none.
  private static func member(
    _ match: LoRAMatches.Match, in file: LoRAFile
  ) throws(LoRAError) -> LoRANetwork.Member? {
    guard [.lowRank, .tucker].contains(match.entry.form), !match.entry.hasMagnitude,
      let layer = match.layer.adaptable
    else { return nil }
    let rank = max(1, file.shape(.up, of: match.entry).dropFirst().first ?? 1)
    // alpha belongs to the rank of `down`, which a kernel may lead away from.
    let stated = match.entry.form == .tucker ? nil : match.alpha
    guard
      let adapter = LoRANetwork.makeAdapter(
        for: layer, rank: rank, alpha: stated ?? match.scale * Float(rank))
    else { return nil }
    for part in [LoRAKey.Part.down, .up, .mid] {
      if let key = match.entry.keys[part] { _ = try file.read(key) }
    }
    let change = WeightChange(
      match.entry, in: file, scale: match.scale, shape: match.layer.weightShape)
    do throws(CheckpointError) {
      let (down, up) = try exactly { () throws(CheckpointError) in try change.thinFactors() }
      adapter.down.value = adapter.down.fromCheckpoint(down)
      adapter.up.value = adapter.up.fromCheckpoint(up)
    } catch { throw .checkpoint(error) }
    return LoRANetwork.Member(path: match.path, layer: layer, adapter: adapter)
  }

  /// What an adapter adds to parameters; all tensors are read once, to find bad ones now.
  private static func patches(
    _ match: LoRAMatches.Match, in file: LoRAFile, withWeight: Bool
  ) throws(LoRAError) -> [(Parameter, ParameterPatch)] {
    var patches: [(Parameter, ParameterPatch)] = []
    if withWeight, match.entry.changesWeight, let weight = match.layer.weight {
      for (part, key) in match.entry.keys where part != .alpha { _ = try file.read(key) }
      let change = WeightChange(
        match.entry, in: file, scale: match.scale, shape: match.layer.weightShape)
      patches.append((weight, .weight(change)))
    }
    if let part = match.entry.biasPart, let key = match.entry.keys[part],
      let bias = match.layer.bias
    {
      _ = try file.read(key)
      // peft's biases sit on the up projection and get its factor, the others are plain changes.
      let scale = part == .upBias ? match.scale : 1
      patches.append((bias, .tensor(file.file, key: key, scale: scale)))
    }
    return patches
  }
}

extension LoRAFile {
  /// Puts the adapters of the file on the layers of models; use a `LoRAStack` for several files.
  ///
  /// - Parameters:
  ///   - models: the U-Net and, if its adapters are wanted, the text encoder.
  ///   - strength: factor of all adapters, which can be changed later.
  ///   - application: where changes are made.
  /// - Returns: the adapters and the names of the tensors that were not used.
  /// - Throws: `LoRAError`, naming everything that does not fit; the models are unchanged then.
  public func attach(
    to models: [LoRAComponent: any Module], strength: Float = 1,
    application: LoRAStack.Application = .onTheFly
  ) throws(LoRAError) -> AttachedLoRA {
    try LoRAStack(models).attach(self, strength: strength, application: application)
  }
}
