extension KeyMap {
  /// transformers' BERT, bare or inside a larger model (`bert.` prefix, whose heads are ignored).
  ///
  /// The `position_ids` buffer is ignored; very old files call norms' parameters gamma and beta.
  public static let bert = KeyMap("BERT") { key in
    if key.hasSuffix("embeddings.position_ids") || key.hasPrefix("cls.") { return nil }
    let bare = key.hasPrefix("bert.") ? String(key.dropFirst(5)) : key
    if bare.hasSuffix("LayerNorm.gamma") { return bare.dropLast(5) + "weight" }
    if bare.hasSuffix("LayerNorm.beta") { return bare.dropLast(4) + "bias" }
    return bare
  }
}
