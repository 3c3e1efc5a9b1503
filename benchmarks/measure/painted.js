// Counts what is painted: put into the page before any of its scripts.
//
// A picture counts when, in an animation frame, the pixel in the middle of the canvas has another
// colour than before. Pixels of WebGL are there only until they are shown, so they are read at the
// end of the task that draws them.

(() => {
  const drawn = new WeakMap();
  /** Who has painted nothing for so long is given another picture: it may have lost one. */
  const PATIENCE = 4000;

  for (const kind of [WebGLRenderingContext, WebGL2RenderingContext]) {
    for (const name of ["drawElements", "drawArrays"]) {
      const draw = kind.prototype[name];
      kind.prototype[name] = function (...all) {
        draw.apply(this, all);
        if (this.getParameter(this.FRAMEBUFFER_BINDING) !== null) return;
        const state = drawn.get(this.canvas) ?? { colour: "", waits: false };
        drawn.set(this.canvas, state);
        if (state.waits) return;
        state.waits = true;
        queueMicrotask(() => {
          state.waits = false;
          const [x, y] = [this.drawingBufferWidth >> 1, this.drawingBufferHeight >> 1];
          const pixel = new Uint8Array(4);
          this.readPixels(x, y, 1, 1, this.RGBA, this.UNSIGNED_BYTE, pixel);
          state.colour = pixel.join();
        });
      };
    }
  }

  const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  function colourOf(canvas) {
    if (drawn.has(canvas)) return drawn.get(canvas).colour;
    probe.clearRect(0, 0, 1, 1);
    probe.drawImage(canvas, canvas.width >> 1, canvas.height >> 1, 1, 1, 0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data.join();
  }

  window.painted = {
    count: 0,
    // Begins to count, and to say so on a comm if one is named.
    async watch(selector, target) {
      let comm = null;
      if (target) {
        comm = window.lab.kernel().createComm(target);
        await comm.open({}).done;
      }
      const canvas = document.querySelector(selector);
      const seen = (this.seen = {});
      let last = colourOf(canvas);
      let heard = performance.now();
      this.count = 0;
      const look = (now) => {
        if (this.seen !== seen || !canvas.isConnected) return;
        const colour = colourOf(canvas);
        const isNew = colour !== last;
        if (isNew) this.count += 1;
        last = colour;
        if (isNew || now - heard > PATIENCE) {
          heard = now;
          comm?.send({});
        }
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    },
    now() {
      return [performance.now(), this.count];
    },
  };
})();
