import Foundation
import Labeling
import Volumes

/// One plane through a volume and through several segmentations of it, side by side; pixels row by row.
///
/// An object has the colour of the one of the last of the first row, the truth say, that it shares most voxels with, unless
/// another shares more with that: what is split or merged changes its colour.
public struct Comparison: Sendable {
    /// A segmentation and what is said of it below its name.
    public struct Panel: Sendable {
        public var name: String
        public var caption: String
        public var labels: [UInt32]

        public init(name: String, caption: String, labels: [UInt32]) {
            self.name = name
            self.caption = caption
            self.labels = labels
        }
    }

    public var title: String
    /// The image, whose votes and labels are not drawn.
    public var plane: OverviewPlane
    /// The first row, beside the image.
    public var panels: [Panel]
    /// The row below.
    public var members: [Panel]

    public init(title: String, plane: OverviewPlane, panels: [Panel], members: [Panel] = []) {
        precondition((panels + members).allSatisfy { $0.labels.count == plane.gray.count })
        self.title = title
        self.plane = plane
        self.panels = panels
        self.members = members
    }

    /// The picture as a PNG file: the image, then each segmentation in its own colours over it.
    public func png() -> Data {
        let (widest, highest, margin, gap, head) = (400.0, 640.0, 28.0, 18.0, 120.0)
        let height = Double(plane.height) * plane.pixelSize.vertical
        let width = Double(plane.width) * plane.pixelSize.horizontal
        let scale = min(widest / width, highest / height)
        let size = (width: (width * scale).rounded(), height: (height * scale).rounded())
        // Captions want room beside a narrow picture.
        let panel = max(size.width, 360)
        let columns = Double(max(panels.count + 1, members.count))
        let row = size.height + 66
        let rows = members.isEmpty ? 1.0 : 2.0
        let canvas = Canvas(
            width: Int(2 * margin + columns * panel + (columns - 1) * gap),
            height: Int(head + (rows - 1) * row + size.height + margin))
        let whole = Double(canvas.width) - 2 * margin
        canvas.text(canvas.fitting(title, width: whole, size: 22, bold: true), margin, 44, size: 22, bold: true)
        func draw(_ place: (row: Int, column: Int), _ name: String, _ caption: String, _ pixels: [UInt32]) {
            let x = margin + Double(place.column) * (panel + gap)
            let y = head + Double(place.row) * row
            canvas.text(canvas.fitting(name, width: panel, size: 15, bold: true), x, y - 38, size: 15, bold: true)
            canvas.text(canvas.fitting(caption, width: panel, size: 13), x, y - 16, size: 13, .quiet)
            canvas.image(pixels, width: plane.width, x, y, size.width, size.height)
            canvas.frame(x, y, size.width, size.height, .line)
        }
        draw((0, 0), "Image", "\(plane.axis.rawValue) = \(plane.position)", plane.imagePixels)
        let reference = panels.last?.labels ?? []
        let numbered = (panels + members).map { labels($0.labels, numberedLike: reference) }
        let colors = LabelColors(numbered.map { ($0, plane.width) })
        for (index, panel) in (panels + members).enumerated() {
            let isMember = index >= panels.count
            draw(
                isMember ? (1, index - panels.count) : (0, index + 1), panel.name, panel.caption,
                plane.regionPixels(of: numbered[index], colors))
        }
        return canvas.png()
    }
}

/// Labels with the numbers of those of a reference that they match, one to one, the largest overlap first; others have
/// numbers that no label of the reference has.
private func labels(_ labels: [UInt32], numberedLike reference: [UInt32]) -> [UInt32] {
    var numbers: [UInt32: UInt32] = [0: 0]
    var taken: Set<UInt32> = []
    for (label, number) in Contingency(labels: labels, truth: reference).overlaps
    where numbers[label] == nil && taken.insert(number).inserted {
        numbers[label] = number
    }
    let known = Set(reference)
    var free: UInt32 = 1
    for label in Set(labels).sorted() where numbers[label] == nil {
        while known.contains(free) { free += 1 }
        numbers[label] = free
        free += 1
    }
    return labels.map { numbers[$0] ?? 0 }
}
