import Foundation
import TestSupport
import Testing

/// An HDF5 file that names another one outside its folder, `../labels.h5`.
struct ExternalLinkTests {
    private let folder = ScratchFolder()

    @Test func areFollowedOnlyWhereThatIsAllowed() throws {
        try Program.run("synthesize", "raw.tif", "labels.h5", "--shape", "8,16,16", in: folder.path)
        try FileManager.default.createDirectory(atPath: folder.path + "/a", withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Bundle.module.bundlePath + "/Data/links.h5", toPath: folder.path + "/a/links.h5")
        let file = "a/links.h5:/labels"
        let refusal = "needs the file ../labels.h5, which is outside its folder"

        let unnamed = try Program.run("info", "a/links.h5", in: folder.path)
        #expect(unnamed.code == 1 && unnamed.complaints.contains("name one, as in links.h5:/"), "\(unnamed.words)")
        let refused = try Program.run("info", file, in: folder.path)
        #expect(refused.code == 1 && refused.complaints.contains(refusal), "\(refused.words)")
        let read = try Program.run("info", file, "--allow-external-links", in: folder.path)
        #expect(read.code == 0 && read.output.contains("z 8 × y 16 × x 16"), "\(read.words)")
        for (options, code) in [([], 1), (["--allow-external-links"], 0)] as [([String], Int32)] {
            let ending = try Program.wait(
                for: Program.start(["convert", file, "copy.tif"] + options, in: folder.path))
            #expect(ending.code == code, "\(ending.words)")
        }
        let scores = try Program.run(
            "evaluate", "--labels", file, "--truth", "labels.h5", "--allow-external-links", in: folder.path)
        #expect(scores.code == 0, "\(scores.words)")

        for (setting, isAllowed) in [("", false), ("execution: {external_links: true}", true)] {
            try folder.write(
                "a.yaml",
                """
                train: [{image: raw.tif, labels: "\(file)"}]
                segment: [raw.tif]
                \(setting)
                """)
            let check = try Program.run("check", "a.yaml", "--headers", in: folder.path)
            #expect(check.words.contains(refusal) != isAllowed, "\(check.words)")
        }
    }
}
