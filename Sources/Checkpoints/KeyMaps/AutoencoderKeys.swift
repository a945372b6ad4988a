extension KeyMap {
  /// diffusers' VAE, including the attention names of files saved before version 0.17.
  public static let autoencoder = KeyMap("diffusers VAE") { key in
    let renamed = [
      "query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0",
    ]
    var parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 2, parts.dropLast(2).contains("attentions"),
      let name = renamed[parts[parts.count - 2]]
    else { return key }
    parts[parts.count - 2] = name
    return parts.joined(separator: ".")
  }
}
