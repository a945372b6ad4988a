import Layers

/// The kinds of layers that get an adapter.
public struct LoRATargets: OptionSet, Sendable, Hashable {
  /// One bit per kind.
  public let rawValue: Int

  /// A set from its bits.
  public init(rawValue: Int) {
    self.rawValue = rawValue
  }

  /// Queries, keys, values and the output projection of every attention.
  public static let attention = LoRATargets(rawValue: 1 << 0)
  /// `proj_in` and `proj_out` around the transformer blocks.
  public static let projections = LoRATargets(rawValue: 1 << 1)
  /// Both layers of every feed-forward block.
  public static let feedForward = LoRATargets(rawValue: 1 << 2)
  /// Convolutions of residual blocks and of down- and upsamplers.
  public static let convolutions = LoRATargets(rawValue: 1 << 3)
  /// The layers that bring the time embedding into residual blocks.
  public static let timeProjections = LoRATargets(rawValue: 1 << 4)
  /// Everything above.
  public static let all: LoRATargets = [
    .attention, .projections, .feedForward, .convolutions, .timeProjections,
  ]

  /// All kinds with the names that people and files use for them.
  public static let named: [(name: String, targets: LoRATargets)] = [
    ("attention", .attention), ("projections", .projections), ("feed-forward", .feedForward),
    ("convolutions", .convolutions), ("time-projections", .timeProjections),
  ]

  /// The names of what is in the set.
  public var names: [String] {
    LoRATargets.named.filter { isSuperset(of: $0.targets) }.map(\.name)
  }

  /// The kind of the layer at a path of diffusers or transformers; empty for all other layers.
  ///
  /// The path may have `.` or `_` between its components.
  public init(path: String) {
    let flat = "_" + path.replacing(".", with: "_")
    self = LoRATargets.endings.first { $0.endings.contains(where: flat.hasSuffix) }?.kind ?? []
  }

  private static let endings: [(kind: LoRATargets, endings: [String])] = [
    (
      .attention,
      [
        "_to_q", "_to_k", "_to_v", "_to_out_0", "_q_proj", "_k_proj", "_v_proj", "_out_proj",
        "_self_query", "_self_key", "_self_value", "_attention_output_dense",
      ]
    ),
    (.projections, ["_proj_in", "_proj_out"]),
    (
      .feedForward,
      [
        "_ff_net_0_proj", "_ff_net_2", "_mlp_fc1", "_mlp_fc2", "_intermediate_dense",
        "_output_dense",
      ]
    ),
    (.timeProjections, ["_time_emb_proj", "_emb_layers_1"]),
    (
      .convolutions,
      [
        "_conv1", "_conv2", "_conv_shortcut", "samplers_0_conv", "_in_layers_2", "_out_layers_3",
        "_skip_connection", "_0_op",
      ]
    ),
  ]
}
