import ComputeCore
import Layers

/// The adapters that belong together on the layers of one model.
///
/// A model can carry several networks. Attaching does not freeze the model: call its `freeze()`
/// before training, and train `parameters`.
public final class LoRANetwork {
  /// One adapter and the layer that carries it.
  struct Member {
    let path: String
    let layer: any AdaptableLayer
    let adapter: any LowRankAdapter
  }

  /// The part of a pipeline that the adapters are for.
  public let component: LoRAComponent
  let members: [Member]

  /// Factor of all adapters: 0 switches them off, 1 is as trained.
  ///
  /// Base weights are not touched.
  public var strength: Float {
    get { members.first?.adapter.strength ?? 1 }
    set { for member in members { member.adapter.strength = newValue } }
  }

  /// Puts adapters that exist already on their layers.
  init(component: LoRAComponent, members: [Member]) {
    self.component = component
    self.members = members
    for member in members { member.layer.adapters.append(member.adapter) }
  }

  /// Puts new adapters, which change nothing yet, on the layers of a model.
  ///
  /// - Parameters:
  ///   - module: a U-Net or a text encoder.
  ///   - rank: channels between the two matrices of each adapter, at least 1.
  ///   - alpha: scale times rank; the rank, for a scale of 1, when left out.
  ///   - targets: the kinds of layers that get one.
  ///   - component: what `module` is.
  ///   - generator: gives the first values, in the order of the model's layers.
  /// - Returns: the adapters; keep it to change their strength, to train or to remove them.
  /// - Throws: `LoRAError.invalidRequest` or `.noTargets`; the model is unchanged then.
  public static func attach(
    to module: any Module, rank: Int, alpha: Float? = nil, targets: LoRATargets = .attention,
    component: LoRAComponent = .unet, using generator: inout TorchGenerator
  ) throws(LoRAError) -> LoRANetwork {
    guard (1...4096).contains(rank) else {
      throw .invalidRequest(found: "rank \(rank)", expected: "1 to 4096")
    }
    let alpha = alpha ?? Float(rank)
    guard alpha.isFinite, alpha > 0 else {
      throw .invalidRequest(found: "alpha \(alpha)", expected: "a number above 0")
    }
    var members: [Member] = []
    for (path, child) in module.namedModules() {
      guard let layer = child as? any AdaptableLayer,
        !targets.isDisjoint(with: LoRATargets(path: path)),
        let adapter = makeAdapter(for: layer, rank: rank, alpha: alpha)
      else { continue }
      members.append(Member(path: path, layer: layer, adapter: adapter))
    }
    guard !members.isEmpty else { throw .noTargets(targets) }
    for member in members { member.adapter.initialize(using: &generator) }
    return LoRANetwork(component: component, members: members)
  }

  /// An adapter without values, or `nil` for a layer of unknown kind.
  static func makeAdapter(
    for layer: any AdaptableLayer, rank: Int, alpha: Float
  ) -> (any LowRankAdapter)? {
    switch layer {
    case let layer as Linear: LoRALinear(layer, rank: rank, alpha: alpha)
    case let layer as Conv2d: LoRAConv2d(layer, rank: rank, alpha: alpha)
    default: nil
    }
  }

  /// What training changes, in the order of the model's layers.
  public var parameters: [Parameter] { members.flatMap(\.adapter.parameters) }

  /// All adapters with the paths of their layers, in the order of the model's layers.
  public var namedAdapters: [(path: String, adapter: any LowRankAdapter)] {
    members.map { ($0.path, $0.adapter) }
  }

  /// Parameters with the names that peft gives them.
  public var namedParameters: [(key: String, parameter: Parameter)] {
    members.flatMap { member in
      [
        ("\(member.path).lora_A.weight", member.adapter.down),
        ("\(member.path).lora_B.weight", member.adapter.up),
      ]
    }
  }

  /// Takes the adapters off their layers, which then compute what they did before.
  public func detach() {
    for member in members { member.layer.adapters.removeAll { $0 === member.adapter } }
  }

  /// Adds the adapters' changes, at their present strength, to the weights of a model for good.
  ///
  /// - Parameter module: the model that carries the network, which is taken off it, or another
  ///   one with the same layers.
  /// - Throws: `LoRAError.invalidRequest` when a layer is missing or differs; nothing is changed
  ///   then.
  public func merge(into module: any Module) throws(LoRAError) {
    let layers = LayerTable(module)
    var targets: [(layer: any AdaptableLayer, adapter: any LowRankAdapter)] = []
    for member in members {
      guard let layer = layers[path: member.path]?.adaptable,
        layer.weight.shape == member.layer.weight.shape
      else {
        let found = layers[path: member.path].map { "\($0.weightShape)" } ?? "no layer"
        throw .invalidRequest(
          found: "\(found) at \(member.path)", expected: "\(member.layer.weight.shape)")
      }
      targets.append((layer, member.adapter))
    }
    for (layer, adapter) in targets {
      let change = adapter.weightChange()
      layer.weight.value = Compute.withoutRecording { layer.weight.value + change }
      layer.adapters.removeAll { $0 === adapter }
    }
  }
}
