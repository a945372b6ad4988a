import Checkpoints
import Testing

@Suite struct KeyMapTests {
  @Test(arguments: [
    ("encoder.layers.0.mlp.fc1.weight", "text_model.encoder.layers.0.mlp.fc1.weight"),
    ("text_model.encoder.layers.0.mlp.fc1.bias", "text_model.encoder.layers.0.mlp.fc1.bias"),
    ("final_layer_norm.weight", "text_model.final_layer_norm.weight"),
    ("text_model.embeddings.position_ids", nil),
    ("embeddings.position_ids", nil),
    ("logit_scale", nil),
    ("vision_model.post_layernorm.bias", nil),
    ("surprise", "surprise"),
  ])
  func clipText(_ key: String, _ expected: String?) {
    #expect(KeyMap.clipText(key) == expected)
  }

  @Test(arguments: [
    ("decoder.mid_block.attentions.0.query.weight", "decoder.mid_block.attentions.0.to_q.weight"),
    ("encoder.mid_block.attentions.0.key.bias", "encoder.mid_block.attentions.0.to_k.bias"),
    ("encoder.mid_block.attentions.0.value.bias", "encoder.mid_block.attentions.0.to_v.bias"),
    (
      "encoder.mid_block.attentions.0.proj_attn.weight",
      "encoder.mid_block.attentions.0.to_out.0.weight"
    ),
    ("encoder.mid_block.attentions.0.to_q.weight", "encoder.mid_block.attentions.0.to_q.weight"),
    ("quant_conv.weight", "quant_conv.weight"),
    ("key", "key"),
  ])
  func autoencoder(_ key: String, _ expected: String) {
    #expect(KeyMap.autoencoder(key) == expected)
  }

  @Test(arguments: [
    ("embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight"),
    ("bert.encoder.layer.0.output.dense.bias", "encoder.layer.0.output.dense.bias"),
    ("bert.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
    ("embeddings.LayerNorm.beta", "embeddings.LayerNorm.bias"),
    ("embeddings.position_ids", nil),
    ("cls.predictions.bias", nil),
  ])
  func bert(_ key: String, _ expected: String?) {
    #expect(KeyMap.bert(key) == expected)
  }
}
