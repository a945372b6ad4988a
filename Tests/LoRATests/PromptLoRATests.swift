import LoRA
import TestSupport
import Testing

@Suite struct PromptLoRATests {
  @Test(arguments: [
    ("a cat", "a cat", [PromptLoRA]()),
    ("a cat <lora:ink:0.8>", "a cat", [PromptLoRA(name: "ink", weight: 0.8)]),
    ("<lora:ink>a cat", "a cat", [PromptLoRA(name: "ink")]),
    ("<lora:ink> a cat", "a cat", [PromptLoRA(name: "ink")]),
    (
      "a <lora:ink:1:0.5> cat", "a cat", [PromptLoRA(name: "ink", weight: 0.5, textWeight: 1)]
    ),
    ("a <lora: my ink : -0.25 >cat", "a cat", [PromptLoRA(name: "my ink", weight: -0.25)]),
    (
      "<lora:a:0.5>, <lora:b/c:te=0.3:unet=2>, x", ", , x",
      [
        PromptLoRA(name: "a", weight: 0.5), PromptLoRA(name: "b/c", weight: 2, textWeight: 0.3),
      ]
    ),
    ("a <lora:b:0.5:unet=1>", "a", [PromptLoRA(name: "b", weight: 1, textWeight: 0.5)]),
    ("<lora:b:te=0.3>", "", [PromptLoRA(name: "b", weight: 0.3, textWeight: 0.3)]),
    ("<lora:b:1:te=0.3>", "", [PromptLoRA(name: "b", weight: 0.3, textWeight: 0.3)]),
    ("<lora:b:1:0.5:te=0.3>", "", [PromptLoRA(name: "b", weight: 0.5, textWeight: 0.3)]),
    ("(a <lora:x:1> b:1.2)", "(a b:1.2)", [PromptLoRA(name: "x")]),
    ("a <lora:", "a <lora:", []), ("a <lora:>", "a <lora:>", []), ("<lora:x", "<lora:x", []),
    ("a <LORA:x:1>", "a <LORA:x:1>", []), ("", "", []),
    ("<lora:ü:1e-1>", "", [.init(name: "ü", weight: 0.1)]),
  ])
  func tagsAreTakenOut(_ prompt: String, _ text: String, _ loras: [PromptLoRA]) throws {
    let found = try PromptLoRA.extract(from: prompt)
    #expect(found.prompt == text)
    #expect(found.loras == loras)
  }

  @Test(arguments: [
    "<lora:x:much>", "<lora:x:nan>", "<lora:x:inf>", "<lora:x:>", "<lora:x:1:2:3>",
    "<lora:x:clip=1>", "a <lora:ok:1> <lora:x:1,5>",
  ])
  func weightsThatAreNoNumbersAreRefused(_ prompt: String) {
    #expect(throws: LoRAError.self) { try PromptLoRA.extract(from: prompt) }
  }

  @Test func filesAreFoundByName() throws {
    let (first, second) = (try ScratchFolder(), try ScratchFolder())
    for name in ["ink.safetensors", "deep/anna.safetensors", "deep/ink.safetensors", "b.txt"] {
      try first.write("", to: name)
    }
    try second.write("", to: "ink.safetensors")
    try second.write("", to: "other.safetensors")
    let folders = [first.path, second.path]
    for (name, file) in [
      ("ink", first("ink.safetensors")), ("anna", first("deep/anna.safetensors")),
      ("deep/ink", first("deep/ink.safetensors")), ("other", second("other.safetensors")),
    ] {
      #expect(try LoRAFolder.path(named: name, in: folders) == file)
    }
    for name in ["", "b", "../ink", "/ink", "nk", "deep/../ink", first("ink")] {
      #expect(throws: LoRAError.self, "\(name)") { try LoRAFolder.path(named: name, in: folders) }
    }
    let error = #expect(throws: LoRAError.self) { try LoRAFolder.path(named: "ann", in: folders) }
    #expect(error?.description.contains("deep/anna.safetensors") == true)
    #expect(throws: LoRAError.self) { try LoRAFolder.path(named: "ink", in: []) }
    #expect(throws: LoRAError.self) { try LoRAFolder.path(named: "ink", in: ["/no/such/folder"]) }
  }
}
