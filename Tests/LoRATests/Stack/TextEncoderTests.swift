import Checkpoints
import ComputeCore
import LoRA
import Models
import TestSupport
import Testing

/// A file for a U-Net and a text encoder, against diffusers.
@Suite struct TextEncoderTests {
  @Test(arguments: [LoRAStack.Application.onTheFly, .merged])
  func bothPartsComputeWhatDiffusersDoes(_ application: LoRAStack.Application) throws {
    let io = try SafetensorsFile(fixturePath("text/io.safetensors"))
    let unet = try TinyUNet()
    let text = try CLIPTextModel.load(folder: fixturePath("text_encoder"), isFrozen: true)
    let ids = try io.int32s("input_ids")
    func hidden() -> Tensor { text([Array(ids[..<7]), Array(ids[7...])]).lastHiddenState }
    let base = try io.tensor("base.last_hidden_state")
    expectClose(hidden(), base, tolerance: 1e-5)

    let stack = LoRAStack([.unet: unet.model, .textEncoder: text])
    let file = try LoRAFile(fixturePath("text/kohya.safetensors"))
    let attached = try stack.attach(file, application: application)
    #expect(attached.skippedKeys.isEmpty)
    expectClose(hidden(), try io.tensor("last_hidden_state"), tolerance: 1e-5)
    expectClose(try unet.output(), try io.tensor("y"), tolerance: 2e-5)

    attached.setStrength(1, textEncoder: 0)
    #expect(attached[.unet] == 1 && attached[.textEncoder] == 0)
    expectClose(hidden(), base, tolerance: 1e-5)
    expectClose(try unet.output(), try io.tensor("y"), tolerance: 2e-5)
    attached.setStrength(0, textEncoder: 1)
    expectClose(hidden(), try io.tensor("last_hidden_state"), tolerance: 1e-5)
    expectClose(try unet.output(), try unet.io.tensor("y_base"), tolerance: 2e-5)
  }
}
