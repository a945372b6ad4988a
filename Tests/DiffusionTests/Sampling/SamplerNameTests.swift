import Diffusion
import Testing

@Suite struct SamplerNameTests {
  @Test(
    arguments: [
      ("euler", SamplerName(.euler)), ("Euler", SamplerName(.euler)),
      ("euler_ancestral", SamplerName(.eulerAncestral)), ("Euler a", SamplerName(.eulerAncestral)),
      ("ddim", SamplerName(.ddim)), ("DDIM", SamplerName(.ddim)), ("DDPM", SamplerName(.ddpm)),
      ("dpmpp_2m", SamplerName(.dpmpp2M)), ("DPM++ 2M", SamplerName(.dpmpp2M)),
      ("DPM++ 2M Karras", SamplerName(.dpmpp2M, .karras)),
      ("dpmpp_2m_karras", SamplerName(.dpmpp2M, .karras)),
      ("  euler  KARRAS ", SamplerName(.euler, .karras)),
      ("DPM++ 2M SGM Uniform", SamplerName(.dpmpp2M, .sgmUniform)),
      ("Euler a Exponential", SamplerName(.eulerAncestral, .exponential)),
      ("DPM2 a Karras", SamplerName(.dpm2Ancestral, .karras)), ("kdpm2", SamplerName(.dpm2)),
      ("dpmpp_2m_sde_karras", SamplerName(.dpmpp2MSDE, .karras)), ("PLMS", SamplerName(.pndm)),
      ("PNDM", SamplerName(.pndm)), ("PNDMScheduler", SamplerName(.pndm)),
      ("HeunDiscrete", SamplerName(.heun)), ("uni_pc", SamplerName(.uniPCBH1)),
      ("UniPCMultistepScheduler", SamplerName(.uniPC)), ("UniPC", SamplerName(.uniPC)),
      ("DPMSolverMultistepScheduler", SamplerName(.dpmpp2M)), ("LCM", SamplerName(.lcm)),
      ("DPM++ 3M SDE Exponential", SamplerName(.dpmpp3MSDE, .exponential)),
      ("DPM++ 2S a", SamplerName(.dpmpp2SAncestral)),
      ("DPM++ SDE Beta", SamplerName(.dpmppSDE, .beta)),
      ("ddim_trailing", SamplerName(.ddim, .trailing)), ("euler uniform", SamplerName(.euler)),
      ("FlowMatchEuler", SamplerName(.euler)),
    ] as [(String, SamplerName)]) func everySpellingIsRead(_ text: String, _ expected: SamplerName)
    throws
  {
    #expect(try SamplerName(parsing: text) == expected)
  }

  @Test func everyNameIsReadBackFromBothSpellings() throws {
    for name in SamplerName.all {
      #expect(try SamplerName(parsing: name.comfyUI) == name)
      #expect(try SamplerName(parsing: name.a1111) == name)
      let (algorithm, sigmas) = (name.algorithm, name.sigmas)
      #expect(try SamplerName(parsing: algorithm.a1111, schedule: sigmas.a1111) == name)
      #expect(try SamplerName(parsing: algorithm.comfyUI, schedule: sigmas.comfyUI) == name)
    }
  }

  @Test(arguments: Likeness.allCases) func uniPCIsTheVariantOfTheProgram(
    _ likeness: Likeness
  ) throws {
    func read(_ text: String) throws -> SamplerName {
      try SamplerName(parsing: text, like: likeness)
    }
    let plain = likeness == .diffusers ? SamplerName.Algorithm.uniPC : .uniPCBH1
    #expect(try read("uni_pc") == SamplerName(plain))
    #expect(try read("uni_pc_karras") == SamplerName(plain, .karras))
    #expect(try read("uni_pc_bh2") == SamplerName(.uniPC))
    #expect(try read("uni_pc_bh1_karras") == SamplerName(.uniPCBH1, .karras))
    for name in SamplerName.all { #expect(try read(name.spelling(like: likeness)) == name) }
  }

  @Test func scheduleNamedApartCounts() throws {
    let karras = SamplerName(.dpmpp2M, .karras)
    #expect(try SamplerName(parsing: "DPM++ 2M Karras", schedule: "Automatic") == karras)
    #expect(try SamplerName(parsing: "DPM++ 2M", schedule: "Karras") == karras)
    #expect(throws: SamplerError.sigmaScheduleNotAvailable(.ddim, .karras)) {
      try SamplerName(parsing: "DDIM", schedule: "karras")
    }
    #expect(throws: SamplerError.sigmaScheduleNotAvailable(.ddim, .karras)) {
      try SamplerName(parsing: "DDIM Karras")
    }
  }

  @Test(arguments: [
    ("dpm++ 2n", "DPM++ 2M"), ("eular", "euler"), ("dim", "ddim"),
    ("", "lms"),
  ]) func unknownNamesGetTheNearest(_ text: String, _ expected: String) throws {
    let error = #expect(throws: SamplerError.self) { try SamplerName(parsing: text) }
    guard case .unknownSampler(text, let nearest, let known) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(nearest == expected)
    #expect(known == SamplerName.Algorithm.allCases.map(\.comfyUI))
    #expect(String(describing: try #require(error)).contains("did you mean \"\(expected)\"?"))
  }

  @Test func helpNamesEverySamplerAndSchedule() {
    for algorithm in SamplerName.Algorithm.allCases {
      #expect(SamplerName.help.contains("  \(algorithm.comfyUI) "))
      #expect(SamplerName.help.contains(" \(algorithm.a1111) "))
    }
    for sigmas in SigmaSchedule.allCases {
      #expect(SamplerName.help.contains("  \(sigmas.comfyUI) "))
    }
  }

  @Test func distilledModelsHaveTheirOwnTimesteps() {
    #expect(throws: SamplerError.sigmaScheduleNotAvailable(.lcm, .trailing)) {
      try SamplerName(parsing: "LCM", schedule: "trailing")
    }
  }

  @Test func unknownScheduleGetsTheNearest() throws {
    let error = SamplerError.unknownSigmaSchedule(
      "karas", nearest: "karras",
      known: [
        "normal", "karras", "exponential", "sgm_uniform", "simple", "beta", "linspace", "leading",
        "trailing",
      ])
    #expect(throws: error) { try SamplerName(parsing: "euler", schedule: "karas") }
  }
}
