import Checkpoints
import ComputeCore

/// One adapter of a file: the names of its tensors by their place in it.
struct LoRAEntry: Sendable {
  let component: LoRAComponent
  /// Path of the layer, dotted or flattened.
  let module: String
  let isFlattened: Bool
  private(set) var keys: [LoRAKey.Part: String] = [:]

  init(component: LoRAComponent, module: String, isFlattened: Bool) {
    self.component = component
    self.module = module
    self.isFlattened = isFlattened
  }

  /// Takes in a tensor; returns the one that has its place already.
  mutating func add(_ part: LoRAKey.Part, _ key: String) -> String? {
    keys.updateValue(key, forKey: part)
  }

  /// Names of all its tensors, sorted.
  var allKeys: [String] { keys.values.sorted() }

  /// Whether it has a tensor in a place.
  func has(_ part: LoRAKey.Part) -> Bool { keys[part] != nil }

  /// Whether lengths are kept apart from directions (DoRA, arXiv:2402.09353).
  var hasMagnitude: Bool { has(.magnitude) }

  /// The tensor that is added to the layer's bias.
  var biasPart: LoRAKey.Part? { [.upBias, .diffBias, .normBias].first(where: has) }

  /// Whether it changes a weight and not only a bias.
  var changesWeight: Bool { keys.keys.contains { ![.alpha, .diffBias, .normBias].contains($0) } }

  /// How it states its change, by the tensors that it has.
  var form: LoRAForm {
    if has(.mid) { return .tucker }
    if has(.down) || has(.up) { return .lowRank }
    if keys.keys.contains(where: { $0.rawValue.hasPrefix("hada_") }) { return .hadamard }
    if keys.keys.contains(where: { $0.rawValue.hasPrefix("lokr_") }) { return .kronecker }
    return has(.normWeight) || has(.normBias) ? .norm : .difference
  }

  /// What is wrong with the set of its tensors, `nil` when nothing is.
  var flaw: String? {
    let isComplete =
      switch form {
      case .lowRank, .tucker: needs(.down, .up)
      case .hadamard:
        needs(.hadaW1A, .hadaW1B, .hadaW2A, .hadaW2B) ?? pair(.hadaT1, .hadaT2)
      case .kronecker: kroneckerFlaw
      case .difference: needsOne(.diff, .diffBias)
      case .norm: needsOne(.normWeight, .normBias)
      }
    return isComplete ?? strayFlaw
  }

  /// The parts that a form may have, beside `alpha`, a magnitude and a change of the bias.
  private static let parts: [LoRAForm: Set<LoRAKey.Part>] = [
    .lowRank: [.down, .up, .upBias], .tucker: [.down, .up, .mid],
    .hadamard: [.hadaW1A, .hadaW1B, .hadaW2A, .hadaW2B, .hadaT1, .hadaT2],
    .kronecker: [.lokrW1, .lokrW1A, .lokrW1B, .lokrW2, .lokrW2A, .lokrW2B, .lokrT2],
    .difference: [.diff], .norm: [.normWeight, .normBias],
  ]

  private var strayFlaw: String? {
    let own = LoRAEntry.parts[form] ?? []
    let stray = keys.filter {
      !own.contains($0.key) && ![.alpha, .magnitude, .diffBias].contains($0.key)
    }
    if let key = stray.values.min() { return "\"\(key)\" does not go with \(form.rawValue)" }
    if hasMagnitude, [.norm, .difference].contains(form) {
      return "a magnitude does not go with \(form.rawValue)"
    }
    return nil
  }

  private var kroneckerFlaw: String? {
    for (full, first, second) in [
      (LoRAKey.Part.lokrW1, LoRAKey.Part.lokrW1A, LoRAKey.Part.lokrW1B),
      (.lokrW2, .lokrW2A, .lokrW2B),
    ] {
      if has(full), has(first) || has(second) {
        return "\(full.rawValue) is there both whole and in two factors"
      }
      if !has(full), let flaw = needs(first, second) { return flaw }
    }
    return has(.lokrT2) && has(.lokrW2) ? "lokr_t2 does not go with lokr_w2" : nil
  }

  private func needs(_ parts: LoRAKey.Part...) -> String? {
    parts.first { !has($0) }.map { "\($0.rawValue) is missing" }
  }

  private func needsOne(_ first: LoRAKey.Part, _ second: LoRAKey.Part) -> String? {
    has(first) || has(second) ? nil : "there is nothing but \(allKeys.joined(separator: ", "))"
  }

  private func pair(_ first: LoRAKey.Part, _ second: LoRAKey.Part) -> String? {
    has(first) == has(second)
      ? nil : "\((has(first) ? second : first).rawValue) is missing"
  }
}
