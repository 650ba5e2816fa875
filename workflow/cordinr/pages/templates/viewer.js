// The viewer of a page: one NiiVue per volume, all showing the same place in the same way.
"use strict";
(() => {
  const root = document.getElementById("viewer");
  const { Niivue, NVImage, SLICE_TYPE, DRAG_MODE } = window.niivue;

  const PLANES = {
    sagittal: { type: SLICE_TYPE.SAGITTAL, right: 1, up: 2, through: 0, label: "Sagittal" },
    coronal: { type: SLICE_TYPE.CORONAL, right: 0, up: 2, through: 1, label: "Coronal" },
    axial: { type: SLICE_TYPE.AXIAL, right: 0, up: 1, through: 2, label: "Axial" },
    three: { type: SLICE_TYPE.MULTIPLANAR, right: 0, up: 2, through: 1, label: "All three" },
  };
  const LETTERS = [["R", "L"], ["A", "P"], ["S", "I"]];
  const HEADER = 352; // bytes of a NIfTI-1 file before its voxels
  // Black where there is nothing to see: what lies below is dimmed, not tinted.
  const LUTS = {
    "cordinr error": {
      R: [150, 35, 0, 225, 255], G: [210, 115, 0, 65, 200], B: [255, 230, 0, 30, 130],
      A: [255, 255, 255, 255, 255], I: [0, 64, 128, 192, 255],
    },
    "cordinr spread": {
      R: [0, 200, 255, 255], G: [0, 70, 165, 245], B: [0, 20, 30, 170],
      A: [255, 255, 255, 255], I: [0, 85, 170, 255],
    },
  };
  const CROSSHAIR_PX = 1.5;

  const state = { plane: "sagittal", overlay: "none", opacity: 0.8, swipe: false, at: 50, image: 0 };
  let panels = [];
  let scene = null;
  let queue = Promise.resolve();

  // What takes time is done one after the other, however fast the clicks come.
  const inTurn = (work) => (queue = queue.catch(() => {}).then(work));

  // ---- volumes ----------------------------------------------------------------------------

  async function decode(id) {
    const text = atob(document.getElementById(id).textContent.trim());
    const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return nifti(await new Response(stream).arrayBuffer());
  }

  function nifti(buffer) {
    const header = new DataView(buffer);
    const shape = [42, 44, 46].map((at) => header.getInt16(at, true));
    const affine = [280, 296, 312].map((at) =>
      [0, 4, 8, 12].map((step) => header.getFloat32(at + step, true)));
    const slope = header.getFloat32(112, true);
    const low = header.getFloat32(116, true);
    return { buffer, shape, affine, slope, low, voxels: new Uint8Array(buffer, HEADER) };
  }

  // The same grid as `like` with other voxels.
  function withVoxels(like, voxels, slope, low) {
    const buffer = new ArrayBuffer(HEADER + voxels.length);
    new Uint8Array(buffer).set(new Uint8Array(like.buffer, 0, HEADER));
    new Uint8Array(buffer).set(voxels, HEADER);
    const header = new DataView(buffer);
    header.setFloat32(112, slope, true);
    header.setFloat32(116, low, true);
    return nifti(buffer);
  }

  // The inverse of the affine as a function of millimetres.
  function toIndex(affine) {
    const [[a, b, c, x], [d, e, f, y], [g, h, i, z]] = affine;
    const cross = [
      [e * i - f * h, c * h - b * i, b * f - c * e],
      [f * g - d * i, a * i - c * g, c * d - a * f],
      [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    const det = a * cross[0][0] + b * cross[1][0] + c * cross[2][0];
    return (mm) => cross.map((row) =>
      (row[0] * (mm[0] - x) + row[1] * (mm[1] - y) + row[2] * (mm[2] - z)) / det);
  }

  // A thick-slice view on the grid of the reference, each voxel as it is: no smoothing.
  function onGrid(image, like) {
    const index = toIndex(image.affine);
    const start = index(like.affine.map((row) => row[3]));
    const step = [0, 1, 2].map((axis) => {
      const next = index(like.affine.map((row) => row[3] + row[axis]));
      return next.map((value, k) => value - start[k]);
    });
    const [nx, ny, nz] = like.shape;
    const [mx, my, mz] = image.shape;
    const voxels = new Uint8Array(nx * ny * nz);
    let at = 0;
    for (let k = 0; k < nz; k++) {
      for (let j = 0; j < ny; j++) {
        for (let i = 0; i < nx; i++, at++) {
          const x = Math.round(start[0] + i * step[0][0] + j * step[1][0] + k * step[2][0]);
          const y = Math.round(start[1] + i * step[0][1] + j * step[1][1] + k * step[2][1]);
          const z = Math.round(start[2] + i * step[0][2] + j * step[1][2] + k * step[2][2]);
          if (x >= 0 && y >= 0 && z >= 0 && x < mx && y < my && z < mz) {
            voxels[at] = image.voxels[x + mx * (y + my * z)];
          }
        }
      }
    }
    return withVoxels(like, voxels, image.slope, image.low);
  }

  // Reconstruction minus reference, percent of R.
  function errorMap(image, reference) {
    const slope = scene.error / 127;
    const scale = ((100 / scene.peak) * image.slope) / slope;
    const voxels = new Uint8Array(image.voxels.length);
    for (let at = 0; at < voxels.length; at++) {
      const error = scale * (image.voxels[at] - reference.voxels[at]);
      voxels[at] = Math.max(0, Math.min(255, Math.round(128 + error)));
    }
    return withVoxels(reference, voxels, slope, -128 * slope);
  }

  // Standard deviation over the members, percent of R.
  function percent(image) {
    const scale = 100 / scene.peak;
    return withVoxels(image, image.voxels, image.slope * scale, image.low * scale);
  }

  function asVolume(image, name, colormap, opacity, low, high) {
    return NVImage.new(image.buffer, `${name}.nii`, colormap, opacity, null, low, high);
  }

  // ---- the page ---------------------------------------------------------------------------

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  const button = (text, title, onclick, more = {}) =>
    element("button", { type: "button", title, onclick, ...more }, text);
  const group = (label, ...children) =>
    element("div", { class: "group", role: "group", "aria-label": label }, ...children);

  const planes = Object.entries(PLANES).map(([name, plane], k) =>
    button(plane.label, `Key ${k + 1}`, () => setPlane(name), { "data-plane": name }));
  const side = button("Side by side", "Key s", () => setSwipe(false));
  const swipe = button("Swipe", "Key s", () => setSwipe(true));
  const left = element("select", { "aria-label": "Left of the swipe", onchange: applySwipe });
  const right = element("select", { "aria-label": "Right of the swipe", onchange: applySwipe });
  const overlays = {
    none: button("None", "Key n", () => setOverlay("none")),
    error: button("Error", "Key e: reconstruction minus reference", () => setOverlay("error")),
    spread: button("Uncertainty", "Key u: standard deviation over the ensemble, or standard error of the learned image", () => setOverlay("spread")),
  };
  const opacity = element("input", {
    type: "range", min: 0, max: 100, value: 80, "aria-label": "Opacity of the overlay",
    oninput: () => setOpacity(Number(opacity.value) / 100),
  });
  const help = element("div", { class: "help", hidden: true },
    ...[
      [["drag"], "crosshair"], [["right drag"], "window: across for width, up and down for level"],
      [["middle drag", "Shift drag"], "pan"], [["wheel"], "slices"], [["Ctrl wheel", "+", "−"], "zoom"],
      [["←", "→", "↑", "↓"], "crosshair by one voxel"], [["Page Up", "Page Down"], "slices"],
      [["Shift arrows"], "window: width and level"], [["1", "2", "3", "4"], "plane"],
      [["s"], "swipe, its sides with the two lists"], [["[", "]"], "move the swipe"],
      [["n", "e", "u"], "overlay: none, error, uncertainty"], [["0"], "back to the start"], [["?"], "this help"],
    ].map(([keys, text]) => element("p", {}, ...keys.flatMap((key) => [element("kbd", {}, key), " "]), text)));
  const helpButton = button("?", "Keys and mouse", () => toggleHelp(), { "aria-expanded": "false" });
  const sides = group("Swipe between", left, right);
  const tools = element("div", { class: "tools", role: "toolbar", "aria-label": "Viewer" },
    group("Plane", ...planes), group("Layout", side, swipe), sides,
    group("Overlay", element("span", { class: "label" }, "Overlay"), ...Object.values(overlays), opacity),
    group("Zoom", button("−", "Key −", () => zoom(1 / 1.25), { "aria-label": "Zoom out" }),
      button("+", "Key +", () => zoom(1.25), { "aria-label": "Zoom in" })),
    group("View", button("Reset", "Key 0: place, zoom and window", () => reset()), helpButton));
  const divider = element("div", {
    class: "divider", role: "slider", tabindex: 0, "aria-label": "Place of the swipe, percent",
    "aria-valuemin": 0, "aria-valuemax": 100,
  });
  const stage = element("div", { class: "stage" }, divider);
  const place = element("output", { id: "place", "aria-label": "Place of the crosshair" });
  const windowText = element("span", { id: "window" });
  const legend = element("span", { class: "legend", id: "legend" });
  const extent = element("span", {});
  const below = element("div", { class: "below" }, place, windowText, legend, extent);
  root.append(tools, help, stage, below);

  divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = stage.getBoundingClientRect();
    setAt((100 * (event.clientX - box.left)) / box.width);
  });

  // ---- panels -----------------------------------------------------------------------------

  async function makePanel() {
    const canvas = element("canvas", { tabindex: 0 });
    const name = element("div", {});
    const value = element("div", { class: "value" });
    const bar = element("i", {});
    const scale = element("div", { class: "scale", "aria-hidden": "true" }, element("span", {}), bar);
    const letters = element("div", { class: "letters", "aria-hidden": "true" },
      ...["left", "right", "top", "bottom"].map((edge) => element("span", { class: edge })));
    const screen = element("div", { class: "screen" }, canvas);
    const head = element("div", { class: "head" }, name, value);
    const box = element("div", { class: "panel" }, screen, letters, head, scale);
    stage.insertBefore(box, divider);
    const nv = new Niivue({
      backColor: [0, 0, 0, 1], crosshairColor: [1, 0.82, 0.29, 0.6], crosshairWidth: 0.2,
      crosshairWidthUnit: "mm", crosshairGap: 20, fontColor: [0.95, 0.97, 1, 1], fontMinPx: 15, fontSizeScaling: 0.35,
      isRadiologicalConvention: true, sagittalNoseLeft: true, showAllOrientationMarkers: true,
      isColorbar: false, multiplanarShowRender: 0, multiplanarPadPixels: 4,
      dragAndDropEnabled: false, loadingText: "", logLevel: "error", viewModeHotKey: "",
      clipPlaneHotKey: "", cycleClipPlaneHotKey: "",
    });
    await nv.attachToCanvas(canvas, false);
    nv.setMouseEventConfig({
      leftButton: { primary: DRAG_MODE.crosshair, withShift: DRAG_MODE.pan, withCtrl: DRAG_MODE.pan },
      rightButton: DRAG_MODE.windowing, centerButton: DRAG_MODE.pan,
    });
    const panel = { nv, box, canvas, name, value, letters, scale, bar };
    nv.onLocationChange = () => showPlace(panel);
    nv.onIntensityChange = () => showWindow(panel);
    const draw = nv.drawScene.bind(nv);
    nv.drawScene = () => {
      draw();
      if (thinCrosshair(nv)) draw();
      showScale(panel);
    };
    // Before NiiVue, which has other uses for these.
    screen.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      zoom(event.deltaY + event.deltaX < 0 ? 1.1 : 1 / 1.1);
    }, { capture: true, passive: false });
    return panel;
  }

  async function showImage(number) {
    state.image = number;
    scene = JSON.parse(document.getElementById(`scene-${number}`).textContent);
    const shown = scene.layers.filter((layer) => layer.kind !== "spread");
    while (panels.length < shown.length) panels.push(await makePanel());
    const reference = await decode(`volume-${number}-reference`);
    for (const [k, layer] of shown.entries()) {
      const panel = panels[k];
      let image = layer.kind === "reference" ? reference : await decode(`volume-${number}-${layer.key}`);
      if (layer.kind === "view") image = onGrid(image, reference);
      panel.image = image;
      panel.layer = layer;
      panel.overlays = {};
      if (layer.kind === "recon") panel.overlays.error = errorMap(image, reference);
      const after = scene.layers[scene.layers.indexOf(layer) + 1];
      if (after && after.kind === "spread") {
        panel.overlays.spread = percent(await decode(`volume-${number}-${after.key}`));
      }
      panel.name.replaceChildren(element("b", {}, layer.name), element("span", {}, layer.caption));
      panel.canvas.setAttribute("aria-label", `${layer.name} ${layer.caption}; press ? for keys`);
      panel.canvas.setAttribute("role", "application");
      while (panel.nv.volumes.length) panel.nv.removeVolumeByIndex(panel.nv.volumes.length - 1);
      for (const [name, lut] of Object.entries(LUTS)) panel.nv.addColormap(name, lut);
      panel.nv.addVolume(await asVolume(image, layer.key, "gray", 1, ...scene.window));
      panel.nv.setInterpolation(layer.kind === "view");
    }
    for (const panel of panels) {
      panel.nv.broadcastTo(panels.filter((other) => other !== panel).map((other) => other.nv),
        { "2d": true, cal_min: true, cal_max: true });
    }
    fill(left, shown, 0);
    fill(right, shown, shown.length - 1);
    const has = (kind) => panels.some((panel) => panel.overlays[kind]);
    overlays.error.disabled = !has("error");
    overlays.spread.disabled = !has("spread");
    const cropped = scene.shape.some((n, axis) => n < scene.whole[axis]);
    extent.textContent = `${scene.shape.join(" × ")} voxels of ${scene.voxel.join(" × ")} mm, 8 bit` +
      (cropped ? ` (the file has ${scene.whole.join(" × ")})` : "") +
      (scene.tilt > 1 ? `; planes of the image, ${scene.tilt.toFixed(0)}° from the scanner's` : "");
    if (state.overlay !== "none" && !has(state.overlay)) state.overlay = "none";
    await putOverlay();
    setPlane(state.plane);
    applySwipe();
    reset();
    for (const section of document.querySelectorAll("section.image")) {
      section.hidden = Number(section.dataset.image) !== number;
    }
    for (const each of document.querySelectorAll("#images button")) {
      each.setAttribute("aria-pressed", Number(each.dataset.image) === number);
    }
  }

  function fill(select, layers, chosen) {
    const before = select.value;
    select.replaceChildren(...layers.map((layer) =>
      element("option", { value: layer.key }, layer.name)));
    select.value = layers.some((layer) => layer.key === before) ? before : layers[chosen].key;
  }

  // ---- one state for all panels -----------------------------------------------------------

  function each(change) {
    for (const panel of panels) change(panel.nv, panel);
    for (const panel of panels) panel.nv.drawScene();
  }

  // World millimetres, also where the grid is oblique: NiiVue's own default there is its own grid.
  const placeOf = (nv) => Array.from(nv.frac2mm(nv.scene.crosshairPos, 0, true)).slice(0, 3);
  const here = () => placeOf(panels[0].nv);

  function goTo(mm) {
    goToPart(panels[0].nv.mm2frac(mm, 0, true));
  }

  // All panels have one grid, so that parts of its extents are the same place in all.
  function goToPart(parts) {
    each((nv) => {
      nv.scene.crosshairPos = Array.from(parts, (part) => Math.min(1, Math.max(0, part)));
      nv.createOnLocationChange();
    });
  }

  function setPlane(name) {
    state.plane = name;
    const { right: u, up: v } = PLANES[name];
    const edges = name === "three" ? ["", "", "", ""] : [...LETTERS[u], ...LETTERS[v]];
    each((nv, panel) => {
      nv.opts.isOrientationTextVisible = name === "three";
      nv.setSliceType(PLANES[name].type);
      edges.forEach((letter, k) => { panel.letters.children[k].textContent = letter; });
    });
    arrange();
    for (const one of planes) one.setAttribute("aria-pressed", one.dataset.plane === name);
  }

  // As many columns as make the images largest.
  function arrange() {
    const { right: u, up: v } = PLANES[state.plane];
    const mm = worldExtent();
    const three = state.plane === "three";
    const [wide, high] = three ? [mm[0] + mm[1], mm[2] + mm[1]] : [mm[u], mm[v]];
    const size = (columns) => Math.min(stage.clientWidth / columns / wide,
      stage.clientHeight / Math.ceil(panels.length / columns) / high);
    const counts = panels.map((_, k) => k + 1);
    // A little more for one row: its images are read from left to right.
    const score = (columns) => size(columns) * (columns === panels.length ? 1.08 : 1);
    stage.style.setProperty("--columns", counts.reduce((a, b) => (score(b) > score(a) ? b : a)));
  }

  // Millimetres of the shown box along R, A and S.
  function worldExtent() {
    const { affine, shape } = panels[0].image;
    return affine.map((row) => row.slice(0, 3).reduce((sum, step, k) => sum + Math.abs(step) * shape[k], 0));
  }

  function setSwipe(on) {
    state.swipe = on;
    applySwipe();
  }

  function applySwipe() {
    stage.classList.toggle("swipe", state.swipe);
    sides.hidden = !state.swipe;
    side.setAttribute("aria-pressed", !state.swipe);
    swipe.setAttribute("aria-pressed", state.swipe);
    for (const panel of panels) {
      panel.box.classList.toggle("left", panel.layer.key === left.value);
      panel.box.classList.toggle("right", panel.layer.key === right.value);
    }
    setAt(state.at);
  }

  function setAt(percentage) {
    state.at = Math.min(100, Math.max(0, percentage));
    divider.setAttribute("aria-valuenow", Math.round(state.at));
    stage.style.setProperty("--at", `${state.at}%`);
  }

  function setOverlay(kind) {
    state.overlay = kind;
    return inTurn(putOverlay);
  }

  async function putOverlay() {
    const kind = state.overlay;
    const limits = { error: [-scene.error, scene.error], spread: [0, scene.spread] };
    for (const { nv, overlays: maps } of panels) {
      while (nv.volumes.length > 1) nv.removeVolumeByIndex(1);
      if (maps[kind]) {
        const map = await asVolume(maps[kind], kind, `cordinr ${kind}`, state.opacity, ...limits[kind]);
        nv.addVolume(map);
      }
      nv.drawScene();
    }
    for (const [name, one] of Object.entries(overlays)) one.setAttribute("aria-pressed", name === kind);
    opacity.hidden = kind === "none";
    showLegend();
    for (const panel of panels) showPlace(panel);
  }

  function setOpacity(value) {
    state.opacity = value;
    for (const { nv } of panels) if (nv.volumes.length > 1) nv.setOpacity(1, value);
  }

  function setWindow(low, high) {
    each((nv) => {
      nv.volumes[0].cal_min = low;
      nv.volumes[0].cal_max = Math.max(high, low + (scene.window[1] - scene.window[0]) / 50);
      nv.updateGLVolume();
    });
    showWindow(panels[0]);
  }

  function zoom(factor) {
    const [x, y, z, before] = panels[0].nv.scene.pan2Dxyzmm;
    const after = Math.min(12, Math.max(0.5, before * factor));
    const mm = panels[0].nv.frac2mm(panels[0].nv.scene.crosshairPos);
    const pan = [x, y, z].map((old, axis) => old + (before - after) * mm[axis]);
    each((nv) => { nv.scene.pan2Dxyzmm = [...pan, after]; });
  }

  function reset() {
    each((nv) => { nv.scene.pan2Dxyzmm = [0, 0, 0, 1]; });
    setWindow(...scene.window);
    goTo(scene.focus);
  }

  function toggleHelp() {
    help.hidden = !help.hidden;
    helpButton.setAttribute("aria-expanded", !help.hidden);
  }

  // ---- what is said of them ---------------------------------------------------------------

  const signed = (number) => number.toFixed(1).replace("-", "−");

  function showPlace(panel) {
    const mm = placeOf(panel.nv);
    if (panel === panels[0]) {
      place.textContent = "Crosshair: " + LETTERS.map(([plus, minus], axis) =>
        `${mm[axis] < 0 ? minus : plus} ${Math.abs(mm[axis]).toFixed(1)}`).join(", ") + " mm";
    }
    const value = (volume) => {
      const vox = volume.mm2vox(mm);
      return volume.getValue(vox[0], vox[1], vox[2]);
    };
    const [base, overlay] = panel.nv.volumes;
    if (!base) return;
    const lines = [element("div", {}, value(base).toFixed(scene.peak < 20 ? 2 : 0))];
    if (overlay) {
      const sign = state.overlay === "spread" ? "± " : "";
      lines.push(element("span", {}, `${sign}${signed(value(overlay))} % R`));
    }
    panel.value.replaceChildren(...lines);
  }

  function showWindow(panel) {
    const { cal_min: low, cal_max: high } = panel.nv.volumes[0];
    const digits = scene.peak < 20 ? 2 : 0;
    windowText.textContent = `Grey: ${low.toFixed(digits)} to ${high.toFixed(digits)}`;
  }

  function showLegend() {
    const parts = {
      none: [],
      error: ["Error ", `−${scene.error}`, element("i", { class: "error" }), `+${scene.error} % of R`],
      spread: ["Uncertainty (SD) 0", element("i", { class: "spread" }), `${scene.spread.toFixed(1)} % of R`],
    };
    legend.replaceChildren(...parts[state.overlay]);
  }

  // Pixels per millimetre of the plane in a panel, or 0 while it shows none.
  function pixelsPerMM(nv) {
    const slice = nv.screenSlices[0];
    return slice && slice.fovMM.length > 1 ? Math.abs(slice.leftTopWidthHeight[2] / slice.fovMM[0]) : 0;
  }

  // NiiVue has no crosshair in pixels; whether it has to be drawn anew.
  function thinCrosshair(nv) {
    const perMM = pixelsPerMM(nv);
    const width = (CROSSHAIR_PX * (nv.uiData.dpr || 1)) / perMM;
    if (!perMM || Math.abs(width / nv.opts.crosshairWidth - 1) < 0.02) return false;
    nv.opts.crosshairWidth = width;
    if (nv.crosshairs3D) nv.crosshairs3D.mm = [NaN, NaN, NaN];
    return true;
  }

  // A bar of a round number of millimetres, where a panel shows one plane.
  function showScale(panel) {
    const perMM = pixelsPerMM(panel.nv) / (panel.nv.uiData.dpr || 1);
    panel.scale.hidden = state.plane === "three" || !perMM;
    if (panel.scale.hidden) return;
    const wanted = panel.canvas.clientWidth / 4 / perMM;
    const length = [1, 2, 5, 10, 20, 50, 100].findLast((mm) => mm <= wanted) ?? 1;
    panel.scale.firstChild.textContent = `${length} mm`;
    panel.bar.style.width = `${length * perMM}px`;
  }

  // ---- keys -------------------------------------------------------------------------------

  const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  function step(axis, sign) {
    const { nv } = panels[0];
    const parts = Array.from(nv.scene.crosshairPos);
    parts[axis] += sign / nv.volumes[0].dimsRAS[axis + 1];
    goToPart(parts);
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const target = event.target.tagName;
    if (target === "SELECT" || target === "INPUT") return;
    // Who reads the tables below scrolls with the same keys.
    if (!root.contains(event.target) && stage.getBoundingClientRect().bottom < 150) return;
    const plane = PLANES[state.plane];
    const arrow = ARROWS[event.key];
    const simple = {
      1: () => setPlane("sagittal"), 2: () => setPlane("coronal"), 3: () => setPlane("axial"),
      4: () => setPlane("three"), s: () => setSwipe(!state.swipe), n: () => setOverlay("none"),
      e: () => overlays.error.disabled || setOverlay("error"),
      u: () => overlays.spread.disabled || setOverlay("spread"),
      "[": () => setAt(state.at - 5), "]": () => setAt(state.at + 5),
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(1 / 1.25), 0: reset, "?": toggleHelp,
      PageUp: () => step(plane.through, 1), PageDown: () => step(plane.through, -1),
    };
    if (event.target === divider && arrow && arrow[0]) setAt(state.at - 2 * arrow[0]);
    else if (arrow && event.shiftKey) {
      const { cal_min: low, cal_max: high } = panels[0].nv.volumes[0];
      const part = (scene.window[1] - scene.window[0]) / 20;
      setWindow(low + part * (arrow[0] + arrow[1]), high + part * (arrow[1] - arrow[0]));
    } else if (arrow) {
      // Left on the screen is anterior or the right side, which is the positive direction.
      step(arrow[0] ? plane.right : plane.up, arrow[0] + arrow[1]);
    } else if (Object.hasOwn(simple, event.key)) simple[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async function start() {
    if (!document.createElement("canvas").getContext("webgl2")) return;
    const note = document.getElementById("no-viewer");
    const sorry = note.textContent;
    note.textContent = "Loading the images …";
    root.hidden = false;
    try {
      await inTurn(() => showImage(0));
    } catch (error) {
      root.hidden = true;
      note.textContent = sorry;
      throw error;
    }
    document.addEventListener("keydown", onKey, { capture: true });
    new ResizeObserver(arrange).observe(stage);
    const images = document.getElementById("images");
    if (images) {
      images.hidden = false;
      images.addEventListener("click", (event) => {
        const { image } = event.target.dataset;
        if (image) inTurn(() => showImage(Number(image)));
      });
    }
    note.hidden = true;
    for (const picture of document.querySelectorAll("details.picture")) picture.open = false;
    root.dataset.ready = "true";
    window.cordinr = { panels, state, here, goTo };
  }

  start();
})();
