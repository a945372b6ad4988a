extension KeyMap {
  /// transformers' CLIP text model, with the `text_model.` prefix (up to version 4 and in every
  /// Stable Diffusion checkpoint) or without it (version 5).
  ///
  /// The `position_ids` buffer and the towers of a whole CLIP model are ignored.
  public static let clipText = KeyMap("CLIP text model") { key in
    if key.hasSuffix("embeddings.position_ids") || key.hasPrefix("vision_model.") { return nil }
    if ["logit_scale", "visual_projection.weight", "text_projection.weight"].contains(key) {
      return nil
    }
    let prefixed = ["embeddings.", "encoder.", "final_layer_norm."]
    return prefixed.contains(where: key.hasPrefix) ? "text_model." + key : key
  }
}
